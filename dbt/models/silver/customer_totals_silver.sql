{{
    config(
        unique_key=['customer_id'],
        incremental_strategy='restate_customers'
    )
}}

{%- set restated_customers = restated(customer_member()) %}

with days as (

    select * from {{ ref('customer_days_silver') }}
    {% if is_incremental() %}
    where customer_id in ({{ restated_customers }})
    {% endif %}

),

running as (

    select
        *,
        sum(orders) over (
            partition by customer_id order by business_date
            rows between unbounded preceding and current row
        ) as orders_so_far
    from days

)

select
    customer_id,
    min(first_ts) as first_ts,
    max(latest_ts) as latest_ts,
    min(business_date) as first_date,
    min(case when orders_so_far >= 2 then business_date end) as second_order_date,
    max(business_date) as latest_date,
    cast(sum(orders) as bigint) as orders,
    cast(sum(units_sold) as bigint) as units_sold,
    cast(sum(revenue) as decimal(38, 2)) as lifetime_value
from running
group by customer_id
