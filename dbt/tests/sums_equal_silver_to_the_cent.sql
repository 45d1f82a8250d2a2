-- Every sum over silver has silver's purchases, revenue and units, whatever it is grouped by: nobody is
-- left out. Returns the tables that differ.

{%- set sums = {
    'purchases_gold': ['transactions', 'revenue', 'units_sold'],
    'product_metrics_gold': ['transactions', 'revenue', 'units_sold'],
    'store_metrics_gold': ['transactions', 'revenue', 'units_sold'],
    'hourly_sales_gold': ['transactions', 'revenue', 'units_sold'],
    'customers_gold': ['orders', 'lifetime_value', 'units_bought'],
} %}

with silver as (

    select
        count(*) as transactions,
        coalesce(sum(total_amount), 0) as revenue,
        coalesce(sum(quantity), 0) as units_sold
    from {{ ref('purchases_silver') }}

),

gold as (

    {%- for table, columns in sums.items() %}
    select
        '{{ table }}' as name,
        {{ taken_in_by(['purchases_silver', table]) }} as is_comparable,
        coalesce(sum({{ columns[0] }}), 0) as transactions,
        coalesce(sum({{ columns[1] }}), 0) as revenue,
        coalesce(sum({{ columns[2] }}), 0) as units_sold
    from {{ ref(table) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    gold.name,
    gold.transactions,
    silver.transactions as silver_transactions,
    gold.revenue,
    silver.revenue as silver_revenue,
    gold.units_sold,
    silver.units_sold as silver_units_sold
from gold
cross join silver
where gold.is_comparable
    and (
        gold.transactions <> silver.transactions
        or gold.revenue <> silver.revenue
        or gold.units_sold <> silver.units_sold
    )
