{#-
    Gives the rows that have arrived in staging the number of their load. In DuckDB the pipe has done it
    in the transaction that brought them. Snowpipe cannot: it commits files side by side and in any
    order, and a number that becomes visible after a higher one would be outside every window. So rows
    arrive there without one, and a procedure numbers them, in turn and in one transaction, after it has
    removed repeats (infra/snowflake/merge_staging.sql).
-#}
{% macro number_loads() -%}
    {{ adapter.dispatch('number_loads')() }}
{%- endmacro %}

{% macro default__number_loads() -%}{%- endmacro %}

{% macro snowflake__number_loads() -%}
    {%- set staging = source('raw', 'raw_purchases_staging') -%}
    {%- if run_query('select 1 from ' ~ staging.render() ~ ' where _load_seq is null limit 1').rows | length > 0 -%}
        {%- do run_query('call ' ~ staging.include(identifier=false).render() ~ '.number_loads()') -%}
    {%- endif -%}
{%- endmacro %}
