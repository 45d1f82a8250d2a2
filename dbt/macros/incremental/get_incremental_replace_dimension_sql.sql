{#-
    The incremental strategy of the dimensions that purchases_silver looks up: afterwards the table
    holds what the model gives, and only rows that differ are written. Where a difference touches a
    sale that silver has taken in already, it asks for a new start, in the same transaction: silver
    comes after the dimensions, and so it, and all that is derived from it, are made anew. It asks by
    a row of its own, since the dimensions run beside each other.

    The model's meta says which columns sales are derived from (`sales_use`), and by what condition
    between a sale (`sold`) and a row that came or went (`changed`) they meet (`sales_meet`).
-#}
{% macro get_incremental_replace_dimension_sql(arg_dict) %}
    {%- set old = arg_dict['target_relation'] -%}
    {%- set new = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set meta = config.get('meta') -%}
    {%- set key = config.get('unique_key') | join(', ') -%}
    {%- set used = meta['sales_use'] | join(', ') -%}

    {%- set statements -%}
        insert into {{ source('raw', 'transform_restarts').render() }} (dimension)
        select '{{ this.identifier }}'
        where exists (
            select 1
            from (
                (select {{ used }} from {{ new }} except select {{ used }} from {{ old }})
                union
                (select {{ used }} from {{ old }} except select {{ used }} from {{ new }})
            ) as changed
            inner join {{ relation_of('model.' ~ project_name ~ '.purchases_silver') }} as sold
                on {{ meta['sales_meet'] }}
        );

        delete from {{ old }}
        where ({{ key }}) in (
            select {{ key }}
            from (select {{ columns }} from {{ old }} except select {{ columns }} from {{ new }}) as gone
        );

        insert into {{ old }} ({{ columns }})
        select {{ columns }} from {{ new }}
        except
        select {{ columns }} from {{ old }}
    {%- endset -%}

    {{ return('select 1' if flags.EMPTY else in_the_models_transaction(statements)) }}
{% endmacro %}
