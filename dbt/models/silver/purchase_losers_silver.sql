{{
    config(
        tags=['live'],
        unique_key=['event_key', 'event_id'],
        incremental_strategy='delete+insert'
    )
}}

-- Runs after silver, which writes down the prior winners: {{ ref('purchases_silver') }}

{%- set columns = [
    'event_id', 'ts', 'store_id', 'customer_id', 'product_id', 'category', 'price', 'quantity',
    'total_amount', '_rescued_data', '_source_object', '_source_line', '_load_seq'
] %}

-- Bronze is named anew where it is read, and not once in a CTE: DuckDB would materialize that.
with repeated_keys as (

    select {{ event_key('event_id') }} as event_key
    from {{ ref('purchases_bronze') }}
    where {{ in_window() }}
    group by 1
    having count(*) > 1

),

keyed as (

    select
        {{ event_key('event_id') }} as event_key,
        event_id
    from {{ ref('purchases_bronze') }}
    where {{ in_window() }}

),

repeated_in_window as (

    select
        event_key,
        event_id
    from keyed
    where event_key in (select event_key from repeated_keys)
    group by event_key, event_id
    having count(*) > 1

),

{% if is_incremental() %}

prior_winners as (

    select
        event_key,
        event_id,
        _source_object,
        _source_line,
        _load_seq
    from {{ source('raw', 'transform_prior_winners') }}

),

{% endif %}

-- Ids that have more than one line: only these have losers.
repeated as (

    select event_key, event_id from repeated_in_window

    {% if is_incremental() %}

    union

    select event_key, event_id from prior_winners

    {% endif %}

),

arrived as (

    select
        {{ event_key('event_id') }} as event_key,
        {{ columns | join(',\n        ') }}
    from {{ ref('purchases_bronze') }}
    where {{ in_window() }}

),

-- Every line of a repeated id that is known so far: those that arrived and, from before the window,
-- the winner and the losers. All of them are judged again, since the winner may have changed.
candidates as (

    select
        event_key,
        {{ columns | join(',\n        ') }},
        false as has_lost
    from arrived
    where (event_key, event_id) in (select event_key, event_id from repeated)

    {% if is_incremental() %}

    union all

    select
        prior_winners.event_key,
        bronze.{{ columns | join(',\n        bronze.') }},
        false as has_lost
    from {{ ref('purchases_bronze') }} as bronze
    inner join prior_winners
        on bronze._load_seq = prior_winners._load_seq
            and bronze._source_object = prior_winners._source_object
            and bronze._source_line = prior_winners._source_line

    union all

    select
        event_key,
        {{ columns | join(',\n        ') }},
        true as has_lost
    from {{ this }}
    where (event_key, event_id) in (select event_key, event_id from repeated)

    {% endif %}

),

lines as (

    select *
    from candidates
    qualify row_number() over (
        partition by _source_object, _source_line
        order by has_lost desc, _load_seq
    ) = 1

),

lowest as (

    select *
    from lines
    qualify row_number() over (
        partition by event_key, event_id
        order by _source_object, _source_line
    ) = 1

),

-- Where the lowest line is one that has lost already, its winner is not known: silver has not yet
-- looked at what arrived, this model runs alone. Such an id stays as it is until silver has.
winners as (

    select *
    from lowest
    where not has_lost

),

judged as (

    select
        lines.*,
        winners._source_object as winner_source_object,
        winners._source_line as winner_source_line,
        case
            when
                lines.ts = winners.ts
                and lines.store_id is not distinct from winners.store_id
                and lines.customer_id is not distinct from winners.customer_id
                and lines.product_id is not distinct from winners.product_id
                and lines.category is not distinct from winners.category
                and lines.price is not distinct from winners.price
                and lines.quantity is not distinct from winners.quantity
                and lines.total_amount is not distinct from winners.total_amount
                then 'duplicate'
            else 'conflict'
        end as verdict
    from lines
    inner join winners
        on lines.event_key = winners.event_key
            and lines.event_id = winners.event_id
    where lines._source_object <> winners._source_object
        or lines._source_line <> winners._source_line

)

select
    event_id,
    event_key,
    verdict,
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
from judged
