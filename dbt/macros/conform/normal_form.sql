{#- A customer's id as it is compared: without blanks around it, in upper case; a blank one is null. -#}
{% macro normal_customer(customer_id) -%}
    nullif(upper({{ trimmed(customer_id) }}), '')
{%- endmacro %}

{#- What stands in gold for a product, store or customer that nobody knows. -#}
{% macro unknown_member() -%}
    '(unknown)'
{%- endmacro %}

{#- A customer's id as gold has it. -#}
{% macro customer_member() -%}
    coalesce(customer_id, {{ unknown_member() }})
{%- endmacro %}

{#- The id of a purchase's product, or store, as gold has it. -#}
{% macro product_member() -%}
    case when is_product_known then product_id else {{ unknown_member() }} end
{%- endmacro %}

{% macro store_member() -%}
    case when is_store_known then store_id else {{ unknown_member() }} end
{%- endmacro %}
