{{
    config(
        unique_key=['arrival_date'],
        incremental_strategy='restate_arrival_dates'
    )
}}

with purchases as (

    {{ restated_purchases('arrival_date') }}

)

select
    arrival_date,
    count(*) as purchases,
    count(case when _rescued_data is not null then 1 end) as rescued,
    count(case when is_late then 1 end) as late,
    count(case when amount_overflow then 1 end) as amount_overflows,
    count(case when price_check in ('above', 'below') then 1 end) as prices_off_list,
    count(case when total_check in ('above', 'below') then 1 end) as totals_off,
    count(case when not is_product_known then 1 end) as unknown_products,
    count(case when not is_store_known then 1 end) as unknown_stores,
    count(case when customer_id is null then 1 end) as unknown_customers
from purchases
group by arrival_date
