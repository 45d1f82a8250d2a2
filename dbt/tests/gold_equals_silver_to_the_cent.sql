-- Transactions, revenue and units of gold are those of silver. Returns the two sides if not.

{% set comparable = taken_in_by(['purchases_silver', 'purchases_gold']) %}

with silver as (

    select
        count(*) as transactions,
        coalesce(sum(total_amount), 0) as revenue,
        coalesce(sum(quantity), 0) as units_sold
    from {{ ref('purchases_silver') }}

),

gold as (

    select
        coalesce(sum(transactions), 0) as transactions,
        coalesce(sum(revenue), 0) as revenue,
        coalesce(sum(units_sold), 0) as units_sold
    from {{ ref('purchases_gold') }}

)

select
    silver.transactions as silver_transactions,
    gold.transactions as gold_transactions,
    silver.revenue as silver_revenue,
    gold.revenue as gold_revenue,
    silver.units_sold as silver_units_sold,
    gold.units_sold as gold_units_sold
from silver
cross join gold
where {{ comparable }}
    and (
        silver.transactions <> gold.transactions
        or silver.revenue <> gold.revenue
        or silver.units_sold <> gold.units_sold
    )
