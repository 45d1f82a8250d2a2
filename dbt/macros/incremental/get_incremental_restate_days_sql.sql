{#-
    The incremental strategy of tables that are sums over days: the restated days leave the table
    and come back as the model now gives them. Unlike delete+insert it also clears a day or a group
    of a day that has no row left.
-#}
{% macro get_incremental_restate_days_sql(arg_dict) %}
    {%- set gold = arg_dict['target_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}

    {%- set statements -%}
        delete from {{ gold }}
        where day in ({{ restated_days() }});

        insert into {{ gold }} ({{ columns }})
        select {{ columns }} from {{ arg_dict['temp_relation'] }}
    {%- endset -%}

    {{ return(in_the_models_transaction(statements)) }}
{% endmacro %}
