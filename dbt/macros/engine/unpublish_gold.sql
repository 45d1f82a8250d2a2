{#-
    Notes that gold in the warehouse is about to differ from the Parquet files that were last
    published from it. The pipeline publishes files from DuckDB alone.
-#}
{% macro unpublish_gold() -%}
    {{ adapter.dispatch('unpublish_gold')() }}
{%- endmacro %}

{% macro default__unpublish_gold() -%}{%- endmacro %}

{% macro duckdb__unpublish_gold() -%}
    {%- set gold_export = source('raw', 'gold_export').render() -%}
    {%- do run_query(
        'create table if not exists ' ~ gold_export ~ ' (refresh varchar not null); '
        ~ 'delete from ' ~ gold_export
    ) -%}
{%- endmacro %}
