{{
    config(
        unique_key=['customer_id'],
        incremental_strategy='restate_customers'
    )
}}

{%- set restated_customers = restated(customer_member()) %}

with months as (

    select * from {{ ref('customer_months_silver') }}
    {% if is_incremental() %}
    where customer_id in ({{ restated_customers }})
    {% endif %}

),

running as (

    select
        *,
        sum(orders) over (
            partition by customer_id order by business_month
            rows between unbounded preceding and current row
        ) - orders as orders_before
    from months

)

select
    customer_id,
    min(first_ts) as first_ts,
    max(latest_ts) as latest_ts,
    min(first_date) as first_date,
    -- The second order of the first month, or the first order of the second.
    min(
        case orders_before
            when 0 then second_date
            when 1 then first_date
        end
    ) as second_order_date,
    max(latest_date) as latest_date,
    cast(sum(orders) as bigint) as orders,
    cast(sum(units_sold) as bigint) as units_sold,
    cast(sum(revenue) as decimal(38, 2)) as lifetime_value
from running
group by customer_id
