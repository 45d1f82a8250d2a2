{{
    config(
        unique_key=['business_date', 'store_id'],
        incremental_strategy='restate_business_dates'
    )
}}

{%- set restated_dates = restated('business_date') %}

with purchases as (

    select
        *,
        case when is_store_known then store_id else {{ unknown_member() }} end as member_id
    from {{ ref('purchases_silver') }}
    {% if is_incremental() %}
    where business_date in ({{ restated_dates }})
    {% endif %}

)

select
    business_date,
    member_id as store_id,
    count(*) as transactions,
    cast(coalesce(sum(quantity), 0) as bigint) as units_sold,
    cast(coalesce(sum(total_amount), 0) as decimal(38, 2)) as revenue,
    count(distinct customer_id) as customers,
    count(distinct case when is_product_known then product_id end) as products
from purchases
group by business_date, member_id
