{{ config(tags=['live']) }}

with staging as (

    select * from {{ source('raw', 'raw_purchases_staging') }}
    -- On Snowflake a row arrives without a number (macros/engine/number_loads.sql).
    where _load_seq is not null

)

select
    event_id,
    {{ utc_timestamp('ts') }} as ts,
    store_id,
    customer_id,
    product_id,
    category,
    price,
    quantity,
    total_amount,
    _rescued_data,
    _source_object,
    _source_line,
    dt,
    _load_seq
from staging
