{{
    config(
        unique_key=['business_month', 'customer_id'],
        incremental_strategy='restate_months'
    )
}}

with restated as (

    {{ restated_purchases('business_date', dates=dates_of_months(restated('business_date'))) }}

),

purchases as (

    select
        {{ month_of('business_date') }} as business_month,
        {{ customer_member() }} as member_id,
        business_date,
        ts,
        quantity,
        total_amount,
        row_number() over (
            partition by {{ month_of('business_date') }}, {{ customer_member() }}
            order by business_date
        ) as number_in_month
    from restated

)

select
    business_month,
    member_id as customer_id,
    count(*) as orders,
    cast(coalesce(sum(quantity), 0) as bigint) as units_sold,
    cast(coalesce(sum(total_amount), 0) as decimal(38, 2)) as revenue,
    min(business_date) as first_date,
    min(case when number_in_month = 2 then business_date end) as second_date,
    max(business_date) as latest_date,
    min(ts) as first_ts,
    max(ts) as latest_ts
from purchases
group by business_month, member_id
