{{
    config(
        tags=['live'],
        unique_key=['store_id'],
        incremental_strategy='replace_dimension',
        meta={
            'sales_use': ['store_id', 'time_zone'],
            'sales_meet': 'sold.store_id = changed.store_id'
        }
    )
}}

with lake as (

    select * from {{ source('raw', 'raw_stores') }}

),

seed as (

    select * from {{ ref('stores') }}

),

listed as (

    select store_id, name, region, timezone, opens, closes, opened_on
    from lake

    union all

    select store_id, name, region, timezone, opens, closes, opened_on
    from seed
    where store_id not in (select store_id from lake where store_id is not null)

),

unambiguous as (

    select
        *,
        count(*) over (partition by store_id) as rows_for_this_store
    from listed
    where store_id is not null
    qualify row_number() over (
        partition by store_id
        order by
            timezone nulls last, name nulls last, region nulls last, opens nulls last,
            closes nulls last, opened_on nulls last
    ) = 1

)

select
    store_id,
    name,
    region,
    case when {{ is_time_zone('timezone') }} then timezone else 'UTC' end as time_zone,
    coalesce({{ is_time_zone('timezone') }}, false) as is_time_zone_known,
    opens,
    closes,
    opened_on,
    rows_for_this_store > 1 as is_ambiguous
from unambiguous
