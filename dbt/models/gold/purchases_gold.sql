{{
    config(
        tags=['live'],
        unique_key=['day', 'category'],
        incremental_strategy='restate_days'
    )
}}

with purchases as (

    {{ restated_purchases('day') }}

)

select
    day,
    category,
    count(*) as transactions,
    cast(coalesce(sum(total_amount), 0) as decimal(38, 2)) as revenue,
    cast(coalesce(sum(quantity), 0) as bigint) as units_sold,
    max(ts) as latest_ts
from purchases
group by day, category
