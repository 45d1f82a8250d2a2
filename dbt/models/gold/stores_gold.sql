{{ config(materialized='table') }}

with stores as (

    select * from {{ ref('stores_silver') }}

)

select
    store_id,
    true as is_known,
    name,
    region,
    time_zone,
    opens,
    closes,
    opened_on
from stores

union all

select
    {{ unknown_member() }} as store_id,
    false as is_known,
    cast(null as varchar) as name,
    cast(null as varchar) as region,
    'UTC' as time_zone,
    cast(null as varchar) as opens,
    cast(null as varchar) as closes,
    cast(null as date) as opened_on
