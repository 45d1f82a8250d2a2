{{
    config(
        unique_key=['business_date', 'store_id'],
        incremental_strategy='restate_business_dates'
    )
}}

with purchases as (

    {{ restated_purchases('business_date') }}

)

select
    business_date,
    {{ store_member() }} as store_id,
    count(*) as transactions,
    cast(coalesce(sum(quantity), 0) as bigint) as units_sold,
    cast(coalesce(sum(total_amount), 0) as decimal(38, 2)) as revenue,
    count(distinct customer_id) as customers,
    count(distinct case when is_product_known then product_id end) as products
from purchases
group by 1, 2
