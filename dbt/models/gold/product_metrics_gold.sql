{{
    config(
        unique_key=['business_date', 'product_id'],
        incremental_strategy='restate_business_dates'
    )
}}

with purchases as (

    {{ restated_purchases('business_date') }}

)

select
    business_date,
    {{ product_member() }} as product_id,
    count(*) as transactions,
    cast(coalesce(sum(quantity), 0) as bigint) as units_sold,
    cast(coalesce(sum(total_amount), 0) as decimal(38, 2)) as revenue,
    count(distinct customer_id) as customers,
    count(case when price_check = 'as listed' then 1 end) as sold_as_listed,
    count(case when price_check = 'above' then 1 end) as sold_above_list,
    count(case when price_check = 'below' then 1 end) as sold_below_list,
    count(case when price_check = 'not checked' then 1 end) as price_not_checked
from purchases
group by 1, 2
