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

conformed as (

    select
        event_id,
        event_key,
        ts,
        cast(ts as date) as day,
        store_id,
        upper({{ trimmed('customer_id') }}) as customer_id,
        product_id,
        lower({{ trimmed('category') }}) as category,
        {{ cents('price') }} as price,
        quantity,
        {{ cents('total_amount') }} as total_amount,
        price as raw_price,
        total_amount as raw_total_amount,
        _rescued_data,
        _source_object,
        _source_line,
        _load_seq
    from winners

)

select
    event_id,
    event_key,
    ts,
    day,
    store_id,
    customer_id,
    product_id,
    category,
    price,
    quantity,
    total_amount,
    (price is null and raw_price is not null)
    or (total_amount is null and raw_total_amount is not null) as amount_overflow,
    _rescued_data,
    _source_object,
    _source_line,
    _load_seq
from conformed
{% if not is_incremental() %}
-- In the order of arrival, so that later runs find rows by load or day without reading every block.
order by _load_seq
{% endif %}
