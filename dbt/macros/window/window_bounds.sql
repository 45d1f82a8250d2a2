{#-
    The window of the model that asks, `{lo, hi}`: it takes in the loads lo < _load_seq <= hi. Models
    with the tag `live` have a start of their own, which moves on without the others. It stands in a
    table, and not in --vars, since changed vars make dbt parse the whole project anew. It becomes
    literals in the SQL, so that both engines skip what lies outside by their block statistics.
-#}
{% macro window_bounds() %}
    {%- set window = transform_window() -%}
    {{ return({'lo': window.lo if 'live' in model.tags else window.rest_lo, 'hi': window.hi}) }}
{% endmacro %}

{#-
    The one row of raw.transform_window, its starts at 0 as long as a new start is asked for; zeros
    where there is none yet.
-#}
{% macro transform_window() %}
    {%- set nothing = {'lo': 0, 'hi': 0, 'rest_lo': 0} -%}
    {%- if not execute -%}{{ return(nothing) }}{%- endif -%}
    {#- Only `run` and `build` open a window; compile, docs and show must do without one. -#}
    {%- if flags.WHICH not in ['run', 'build', 'retry'] and not table_is_there(source('raw', 'transform_displaced')) -%}
        {{ return(nothing) }}
    {%- endif -%}
    {%- set row = run_query(
        'select lo, hi, rest_lo, (select count(*) from '
        ~ source('raw', 'transform_restarts').render() ~ ') from '
        ~ source('raw', 'transform_window').render()
    ).rows[0] -%}
    {%- if row[3] > 0 -%}
        {{ return({'lo': 0, 'hi': row[1] | int, 'rest_lo': 0}) }}
    {%- endif -%}
    {{ return({'lo': row[0] | int, 'hi': row[1] | int, 'rest_lo': row[2] | int}) }}
{% endmacro %}
