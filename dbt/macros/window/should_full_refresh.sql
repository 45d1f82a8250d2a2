{#-
    dbt's own question, asked by is_incremental() and by the incremental materialization: whether a
    table is to be made anew. Here it is, too, where the model's window starts at 0: everything is
    new then, and a table made anew is swapped in whole, so that readers have the old one until then.
-#}
{% macro should_full_refresh() %}
    {%- set wanted = config.get('full_refresh') -%}
    {%- if wanted is none -%}{%- set wanted = flags.FULL_REFRESH -%}{%- endif -%}
    {%- if not wanted and config.get('materialized') == 'incremental' -%}
        {%- set wanted = window_bounds().lo == 0 -%}
    {%- endif -%}
    {{ return(wanted) }}
{% endmacro %}
