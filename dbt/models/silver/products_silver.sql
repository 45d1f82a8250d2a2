{{
    config(
        tags=['live'],
        unique_key=['product_id', 'valid_from'],
        incremental_strategy='replace_dimension',
        meta={
            'sales_use': ['product_id', 'valid_from', 'price'],
            'sales_meet': 'sold.product_id = changed.product_id and sold.ts >= changed.valid_from'
        }
    )
}}

with lake as (

    select * from {{ source('raw', 'raw_products') }}

),

seed as (

    select * from {{ ref('products') }}

),

revisions as (

    select product_id, name, category, price, valid_from
    from lake

    union all

    select product_id, name, category, price, cast(valid_from as {{ instant_type() }}) as valid_from
    from seed
    where product_id not in (select product_id from lake where product_id is not null)

),

conformed as (

    select
        product_id,
        name,
        lower({{ trimmed('category') }}) as category,
        cast(price as decimal(18, 2)) as price,
        valid_from
    from revisions
    where product_id is not null and valid_from is not null

),

-- Two rows for one moment are a mistake of the catalogue; the cheaper one holds, so that the price
-- does not depend on the order of the file.
unambiguous as (

    select
        *,
        count(*) over (partition by product_id, valid_from) as rows_for_this_moment
    from conformed
    qualify row_number() over (
        partition by product_id, valid_from
        order by price nulls last, name nulls last, category nulls last
    ) = 1

)

select
    product_id,
    name,
    category,
    price,
    valid_from,
    lead(valid_from) over (partition by product_id order by valid_from) as valid_to,
    lead(valid_from) over (partition by product_id order by valid_from) is null as is_current,
    rows_for_this_moment > 1 as is_ambiguous
from unambiguous
