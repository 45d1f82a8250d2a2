{#-
    The incremental strategies of tables that are sums over silver: what is restated leaves the table
    and comes back as the model now gives it. Unlike delete+insert it also clears a day, or a group of
    a day, that has no row left.
-#}
{% macro get_incremental_restate_days_sql(arg_dict) %}
    {{ return(restate(arg_dict, 'day', 'day')) }}
{% endmacro %}

{% macro get_incremental_restate_business_dates_sql(arg_dict) %}
    {{ return(restate(arg_dict, 'business_date', 'business_date')) }}
{% endmacro %}

{% macro get_incremental_restate_months_sql(arg_dict) %}
    {{ return(restate(arg_dict, 'business_month', month_of('business_date'))) }}
{% endmacro %}

{% macro get_incremental_restate_arrival_dates_sql(arg_dict) %}
    {{ return(restate(arg_dict, 'arrival_date', 'arrival_date')) }}
{% endmacro %}

{% macro get_incremental_restate_customers_sql(arg_dict) %}
    {{ return(restate(arg_dict, 'customer_id', customer_member())) }}
{% endmacro %}

{#- Restates a table by its column, which is the given expression over silver's columns. -#}
{% macro restate(arg_dict, column, expression) %}
    {%- set table = arg_dict['target_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}

    {%- set statements -%}
        delete from {{ table }}
        where {{ column }} in ({{ restated(expression) }});

        insert into {{ table }} ({{ columns }})
        select {{ columns }} from {{ arg_dict['temp_relation'] }}
    {%- endset -%}

    {{ return(in_the_models_transaction(statements)) }}
{% endmacro %}
