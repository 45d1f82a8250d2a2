{{
    config(
        unique_key=['arrival_date'],
        incremental_strategy='restate_arrival_dates'
    )
}}

{%- set restated_dates = restated('arrival_date') %}

with purchases as (

    select * from {{ ref('purchases_silver') }}
    {% if is_incremental() %}
    where arrival_date in ({{ restated_dates }})
    {% endif %}

)

select
    arrival_date,
    count(*) as purchases,
    sum(case when _rescued_data is not null then 1 else 0 end) as rescued,
    sum(case when is_late then 1 else 0 end) as late,
    sum(case when amount_overflow then 1 else 0 end) as amount_overflows,
    sum(case when price_check in ('above', 'below') then 1 else 0 end) as prices_off_list,
    sum(case when total_check in ('above', 'below') then 1 else 0 end) as totals_off,
    sum(case when is_product_known then 0 else 1 end) as unknown_products,
    sum(case when is_store_known then 0 else 1 end) as unknown_stores,
    sum(case when customer_id is null then 1 else 0 end) as unknown_customers
from purchases
group by arrival_date
