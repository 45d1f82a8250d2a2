{{
    config(
        unique_key=['business_date', 'customer_id'],
        incremental_strategy='restate_business_dates'
    )
}}

{%- set restated_dates = restated('business_date') %}

with purchases as (

    select
        *,
        {{ customer_member() }} as member_id
    from {{ ref('purchases_silver') }}
    {% if is_incremental() %}
    where business_date in ({{ restated_dates }})
    {% endif %}

)

select
    business_date,
    member_id as customer_id,
    count(*) as orders,
    cast(coalesce(sum(quantity), 0) as bigint) as units_sold,
    cast(coalesce(sum(total_amount), 0) as decimal(38, 2)) as revenue,
    min(ts) as first_ts,
    max(ts) as latest_ts
from purchases
group by business_date, member_id
{% if not is_incremental() %}
-- So that later runs find a date without reading every block.
order by business_date
{% endif %}
