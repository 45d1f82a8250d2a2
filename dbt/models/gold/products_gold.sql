{{ config(materialized='table') }}

with revisions as (

    select * from {{ ref('products_silver') }}

),

latest as (

    select max(business_date) as business_date from {{ ref('store_metrics_gold') }}

),

-- The revision in force at the end of the latest business date in the data, or, of a product that
-- is not on sale by then, its first. Never that of now: a refresh of old data gives what it gave.
in_force as (

    select
        revisions.*,
        coalesce(revisions.valid_from < latest.business_date + 1, false) as is_on_sale
    from revisions
    cross join latest
    qualify row_number() over (
        partition by revisions.product_id
        order by
            coalesce(revisions.valid_from < latest.business_date + 1, false) desc,
            case when revisions.valid_from < latest.business_date + 1 then revisions.valid_from end desc,
            revisions.valid_from
    ) = 1

),

counted as (

    select
        product_id,
        count(*) as revisions,
        min(valid_from) as listed_from
    from revisions
    group by product_id

)

select
    in_force.product_id,
    true as is_known,
    in_force.name,
    in_force.category,
    case when in_force.is_on_sale then in_force.price end as list_price,
    counted.listed_from,
    counted.revisions
from in_force
inner join counted
    on in_force.product_id = counted.product_id

union all

select
    {{ unknown_member() }} as product_id,
    false as is_known,
    cast(null as varchar) as name,
    cast(null as varchar) as category,
    cast(null as decimal(18, 2)) as list_price,
    cast(null as {{ instant_type() }}) as listed_from,
    0 as revisions
