{{
    config(
        tags=['live'],
        unique_key=['event_key', 'event_id'],
        incremental_strategy='replace_winners',
        pre_hook="{{ keep_prior_winners(this) }}"
    )
}}

with bronze as (

    select * from {{ ref('purchases_bronze') }}

),

arrived as (

    select
        {{ event_key('event_id') }} as event_key,
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
        _load_seq
    from bronze
    where {{ in_window() }}

),

-- Of all lines with one id the first one, in the order of the raw objects' keys, is the purchase.
lowest_arrived as (

    select *
    from arrived
    qualify row_number() over (
        partition by event_key, event_id
        order by _source_object, _source_line, _load_seq
    ) = 1

),

{% if is_incremental() %}

prior_winners as (

    select event_key, event_id, _source_object, _source_line
    from {{ source('raw', 'transform_prior_winners') }}
    qualify row_number() over (
        partition by event_key, event_id
        order by _source_object, _source_line
    ) = 1

),

-- What an unfinished run over this window has put into the table already.
already_in as (

    select _source_object, _source_line
    from {{ this }}
    where {{ in_window() }}

),

winners as (

    select lowest_arrived.*
    from lowest_arrived
    left join prior_winners
        on lowest_arrived.event_key = prior_winners.event_key
            and lowest_arrived.event_id = prior_winners.event_id
    left join already_in
        on lowest_arrived._source_object = already_in._source_object
            and lowest_arrived._source_line = already_in._source_line
    where already_in._source_line is null
        and (
            prior_winners.event_key is null
            or lowest_arrived._source_object < prior_winners._source_object
            or (
                lowest_arrived._source_object = prior_winners._source_object
                and lowest_arrived._source_line < prior_winners._source_line
            )
        )

),

{% else %}

winners as (

    select * from lowest_arrived

),

{% endif %}

named as (

    select
        *,
        cast(ts as date) as day,
        {{ normal_customer('customer_id') }} as customer_alias,
        {{ cents('price') }} as price_cents,
        {{ cents('total_amount') }} as total_cents
    from winners

),

-- Each of the three has at most one row for a purchase, so none is doubled; one that nobody knows
-- stays, and says so.
looked_up as (

    select
        named.*,
        coalesce(identities.customer_id, named.customer_alias) as resolved_customer_id,
        products.product_id is not null as is_product_known,
        products.price as list_price,
        -- Wide enough for the largest of both.
        cast(named.price_cents as decimal(28, 2)) * cast(named.quantity as decimal(10, 0)) as amount_due,
        stores.store_id is not null as is_store_known,
        case
            when stores.store_id is null or stores.time_zone = 'UTC' then named.ts
            else {{ local_time('named.ts', 'stores.time_zone') }}
        end as local_ts
    from named
    left join {{ ref('customer_identities_silver') }} as identities
        on named.customer_alias = identities.alias
    left join {{ ref('products_silver') }} as products
        on named.product_id = products.product_id
            and named.ts >= products.valid_from
            and (named.ts < products.valid_to or products.valid_to is null)
    left join {{ ref('stores_silver') }} as stores
        on named.store_id = stores.store_id

)

select
    event_id,
    event_key,
    ts,
    day,
    cast(local_ts as date) as business_date,
    cast(extract(hour from local_ts) as integer) as business_hour,
    store_id,
    is_store_known,
    resolved_customer_id as customer_id,
    customer_id as raw_customer_id,
    product_id,
    is_product_known,
    lower({{ trimmed('category') }}) as category,
    price_cents as price,
    list_price,
    price_cents - list_price as price_difference,
    case
        when price_cents = list_price then 'as listed'
        when price_cents > list_price then 'above'
        when price_cents < list_price then 'below'
        else 'not checked'
    end as price_check,
    quantity,
    total_cents as total_amount,
    cast(total_cents - amount_due as decimal(38, 2)) as total_difference,
    case
        when total_cents = amount_due then 'exact'
        when total_cents > amount_due then 'above'
        when total_cents < amount_due then 'below'
        else 'not checked'
    end as total_check,
    (price_cents is null and price is not null)
    or (total_cents is null and total_amount is not null) as amount_overflow,
    coalesce({{ arrival_date('_source_object') }}, day) as arrival_date,
    {{ is_late('ts', '_source_object') }} as is_late,
    _rescued_data,
    _source_object,
    _source_line,
    _load_seq
from looked_up
{% if not is_incremental() %}
-- In the order of arrival, so that later runs find rows by load or day without reading every block.
order by _load_seq
{% endif %}
