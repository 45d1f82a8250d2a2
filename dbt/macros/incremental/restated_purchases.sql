{#-
    Silver's purchases that a sum over them has to count: those whose value of an expression is
    restated in this run, or, when the table is made anew, all. As a query with silver's columns.

    - dates: instead of the expression's values, a query of the dates to take them by.
-#}
{% macro restated_purchases(expression, dates=none) -%}
    {#- Before the condition: dbt finds out at parse time what a model refers to. -#}
    {%- set values = dates or restated(expression) -%}
    select * from {{ ref('purchases_silver') }}
    {%- if is_incremental() %}
    where {{ expression }} in ({{ values }})
    {%- endif %}
{%- endmacro %}
