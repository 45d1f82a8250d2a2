{{ config(materialized='table') }}

with purchases as (

    select * from {{ ref('customer_months_silver') }}
    where customer_id <> {{ unknown_member() }}

),

totals as (

    select
        *,
        {{ month_of('first_date') }} as cohort_month,
        {{ month_number('first_date') }} as cohort_number,
        {{ month_number('second_order_date') }} as repeat_number
    from {{ ref('customer_totals_silver') }}
    where customer_id <> {{ unknown_member() }}

),

cohorts as (

    select
        cohort_month,
        cohort_number,
        count(*) as customers
    from totals
    group by cohort_month, cohort_number

),

latest as (

    select max({{ month_number('latest_date') }}) as month_number from totals

),

-- The contract's hundred years have 1200 months.
numbers as (

    select n from ({{ numbers(4) }}) as every
    where n <= 1200

),

-- Every month of a cohort from its first to the latest in the data, with purchases or without.
months as (

    select
        cohorts.cohort_month,
        cohorts.cohort_number,
        cohorts.customers,
        numbers.n as months_since
    from cohorts
    cross join latest
    inner join numbers
        on numbers.n <= latest.month_number - cohorts.cohort_number

),

active as (

    select
        totals.cohort_number,
        {{ month_number('purchases.business_month') }} - totals.cohort_number as months_since,
        count(*) as active_customers,
        cast(sum(purchases.orders) as bigint) as orders,
        cast(sum(purchases.revenue) as decimal(38, 2)) as revenue
    from purchases
    inner join totals
        on purchases.customer_id = totals.customer_id
    group by 1, 2

),

came_again as (

    select
        cohort_number,
        repeat_number - cohort_number as months_since,
        count(*) as customers
    from totals
    where repeat_number is not null
    group by 1, 2

),

joined as (

    select
        months.cohort_month,
        months.months_since,
        months.customers,
        coalesce(active.active_customers, 0) as active_customers,
        coalesce(active.orders, 0) as orders,
        cast(coalesce(active.revenue, 0) as decimal(38, 2)) as revenue,
        cast(
            sum(coalesce(came_again.customers, 0)) over (
                partition by months.cohort_number order by months.months_since
                rows between unbounded preceding and current row
            ) as bigint
        ) as repeat_customers
    from months
    left join active
        on months.cohort_number = active.cohort_number
            and months.months_since = active.months_since
    left join came_again
        on months.cohort_number = came_again.cohort_number
            and months.months_since = came_again.months_since

)

select
    cohort_month,
    cast(months_since as integer) as months_since,
    customers,
    active_customers,
    {{ share('active_customers', 'customers') }} as retention_rate,
    repeat_customers,
    {{ share('repeat_customers', 'customers') }} as repeat_rate,
    orders,
    revenue
from joined
