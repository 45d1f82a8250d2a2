{{
    config(
        tags=['live'],
        unique_key=['alias'],
        incremental_strategy='replace_dimension',
        meta={
            'sales_use': ['alias', 'customer_id'],
            'sales_meet': normal_customer('sold.raw_customer_id') ~ ' = changed.alias'
        }
    )
}}

with lake as (

    select * from {{ source('raw', 'raw_customer_identities') }}

),

conformed as (

    select
        {{ normal_customer('alias') }} as alias,
        {{ normal_customer('customer_id') }} as customer_id,
        channel
    from lake

)

-- An alias that names several customers is the first of them, so that it does not depend on the
-- order of the file.
select
    alias,
    min(customer_id) as customer_id,
    min(channel) as channel,
    min(customer_id) <> max(customer_id) as is_conflicting
from conformed
where alias is not null and customer_id is not null
group by alias
