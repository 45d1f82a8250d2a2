{{ config(materialized='table') }}

with totals as (

    select * from {{ ref('customer_totals_silver') }}

),

latest as (

    select max(latest_date) as as_of_date from totals

),

known as (

    select
        totals.*,
        latest.as_of_date,
        latest.as_of_date - totals.latest_date as recency_days
    from totals
    cross join latest
    where totals.customer_id <> {{ unknown_member() }}

),

-- 0 for the lowest; equal customers have equal ranks, so the scores do not depend on an order.
ranked as (

    select
        *,
        rank() over (order by recency_days desc) - 1 as recency_rank,
        rank() over (order by orders) - 1 as frequency_rank,
        rank() over (order by lifetime_value) - 1 as monetary_rank,
        count(*) over () as customers
    from known

),

scored as (

    select
        *,
        {{ fifth('recency_rank', 'customers') }} as recency_score,
        {{ fifth('frequency_rank', 'customers') }} as frequency_score,
        {{ fifth('monetary_rank', 'customers') }} as monetary_score
    from ranked

),

unknown as (

    select
        count(*) as rows_of_it,
        min(first_ts) as first_seen,
        max(latest_ts) as last_seen,
        min(first_date) as first_order_date,
        max(latest_date) as last_order_date,
        cast(coalesce(sum(orders), 0) as bigint) as orders,
        cast(coalesce(sum(units_sold), 0) as bigint) as units_bought,
        cast(coalesce(sum(lifetime_value), 0) as decimal(38, 2)) as lifetime_value
    from totals
    where customer_id = {{ unknown_member() }}

)

select
    customer_id,
    true as is_known,
    first_ts as first_seen,
    latest_ts as last_seen,
    first_date as first_order_date,
    latest_date as last_order_date,
    orders,
    units_sold as units_bought,
    lifetime_value,
    as_of_date,
    cast(recency_days as integer) as recency_days,
    recency_score,
    frequency_score,
    monetary_score,
    case
        when recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4 then 'champion'
        when recency_score >= 3 and frequency_score >= 3 then 'loyal'
        when recency_score >= 3 and orders = 1 then 'new'
        when recency_score >= 3 then 'promising'
        when frequency_score >= 3 or monetary_score >= 4 then 'at risk'
        else 'lost'
    end as rfm_segment
from scored

union all

select
    {{ unknown_member() }} as customer_id,
    false as is_known,
    unknown.first_seen,
    unknown.last_seen,
    unknown.first_order_date,
    unknown.last_order_date,
    unknown.orders,
    unknown.units_bought,
    unknown.lifetime_value,
    latest.as_of_date,
    cast(null as integer) as recency_days,
    cast(null as integer) as recency_score,
    cast(null as integer) as frequency_score,
    cast(null as integer) as monetary_score,
    'unknown' as rfm_segment
from unknown
cross join latest
