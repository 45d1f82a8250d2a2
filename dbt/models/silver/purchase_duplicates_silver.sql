{{ config(materialized='view', tags=['live']) }}

with losers as (

    select * from {{ ref('purchase_losers_silver') }}

)

select
    event_id,
    ts,
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
    winner_source_object,
    winner_source_line,
    _load_seq
from losers
where verdict = 'duplicate'
