{#-
    Whether a table or view exists, asked of the database. Not adapter.get_relation: on DuckDB that
    opens a transaction that a hook cannot commit.
-#}
{% macro table_is_there(relation) %}
    {{ return(tables_are_there([relation])) }}
{% endmacro %}

{#- Whether all of some relations of one database exist, in one query. -#}
{% macro tables_are_there(relations) %}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- set found = run_query(adapter.dispatch('count_tables')(relations)) -%}
    {{ return(found.rows[0][0] | int == relations | length) }}
{% endmacro %}

{% macro duckdb__count_tables(relations) -%}
    select count(*)
    from information_schema.tables
    where lower(table_catalog) = lower('{{ relations[0].database }}')
        and {{ is_one_of(relations) }}
{%- endmacro %}

{% macro snowflake__count_tables(relations) -%}
    select count(*)
    from {{ relations[0].database }}.information_schema.tables
    where {{ is_one_of(relations) }}
{%- endmacro %}

{% macro is_one_of(relations) -%}
    lower(table_schema) || '.' || lower(table_name) in (
        {%- for relation in relations -%}
            lower('{{ relation.schema }}.{{ relation.identifier }}'){{ ', ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}
