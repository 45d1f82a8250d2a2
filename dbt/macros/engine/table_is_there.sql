{#-
    Whether a table or view exists, asked of the database. Not adapter.get_relation: on DuckDB that
    opens a transaction that a hook cannot commit.
-#}
{% macro table_is_there(relation) %}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- set found = run_query(adapter.dispatch('count_tables')(relation)) -%}
    {{ return(found.rows[0][0] | int > 0) }}
{% endmacro %}

{% macro duckdb__count_tables(relation) -%}
    select count(*)
    from information_schema.tables
    where lower(table_catalog) = lower('{{ relation.database }}')
        and lower(table_schema) = lower('{{ relation.schema }}')
        and lower(table_name) = lower('{{ relation.identifier }}')
{%- endmacro %}

{% macro snowflake__count_tables(relation) -%}
    select count(*)
    from {{ relation.database }}.information_schema.tables
    where lower(table_schema) = lower('{{ relation.schema }}')
        and lower(table_name) = lower('{{ relation.identifier }}')
{%- endmacro %}
