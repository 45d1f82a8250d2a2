{#-
    The window of this run, `{lo, hi}`: the models take in the rows of staging with
    lo < _load_seq <= hi. It stands in a table, and not in --vars, since changed vars make dbt parse
    the whole project anew. It becomes literals in the SQL, so that both engines skip what lies
    outside by their block statistics.
-#}
{% macro window_bounds() %}
    {%- set transform_window = source('raw', 'transform_window').render() -%}
    {%- if not execute -%}
        {{ return({'lo': 0, 'hi': 0}) }}
    {%- endif -%}
    {#- Only `run` and `build` open a window; compile, docs and show must do without one. -#}
    {%- if flags.WHICH not in ['run', 'build', 'retry'] and not table_is_there(source('raw', 'transform_window')) -%}
        {{ return({'lo': 0, 'hi': 0}) }}
    {%- endif -%}
    {%- set row = run_query('select lo, hi from ' ~ transform_window).rows[0] -%}
    {{ return({'lo': row[0] | int, 'hi': row[1] | int}) }}
{% endmacro %}
