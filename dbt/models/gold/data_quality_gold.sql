{{ config(materialized='table') }}

{%- set reasons = [
    'line_too_long', 'invalid_unicode', 'malformed_json', 'too_deep', 'not_an_object',
    'duplicate_key', 'missing_event_id', 'invalid_event_id', 'missing_ts', 'invalid_ts',
    'ts_out_of_range'
] %}

with purchases as (

    select * from {{ ref('arrival_days_silver') }}

),

losers as (

    select
        coalesce({{ arrival_date('_source_object') }}, cast(ts as date)) as arrival_date,
        verdict,
        _rescued_data is not null as is_rescued,
        {{ is_late('ts', '_source_object') }} as is_late
    from {{ ref('purchase_losers_silver') }}

),

lost as (

    select
        arrival_date,
        count(case when verdict = 'duplicate' then 1 end) as duplicates,
        count(case when verdict = 'conflict' then 1 end) as conflicts,
        count(case when is_rescued then 1 end) as rescued,
        count(case when is_late then 1 end) as late
    from losers
    group by arrival_date

),

quarantined as (

    select
        arrival_date,
        count(*) as lines,
        {%- for reason in reasons %}
        count(case when reason = '{{ reason }}' then 1 end) as {{ reason }},
        {%- endfor %}
        count(case when reason is null or reason not in ('{{ reasons | join("', '") }}') then 1 end) as other
    from {{ ref('quarantine_silver') }}
    group by arrival_date

),

dates as (

    select arrival_date from purchases
    union
    select arrival_date from lost
    union
    select arrival_date from quarantined

)

select
    dates.arrival_date,
    cast(coalesce(purchases.purchases, 0) + coalesce(lost.duplicates, 0) + coalesce(lost.conflicts, 0) as bigint) as accepted,
    cast(coalesce(purchases.purchases, 0) as bigint) as purchases,
    cast(coalesce(lost.duplicates, 0) as bigint) as duplicates,
    cast(coalesce(lost.conflicts, 0) as bigint) as conflicts,
    cast(coalesce(purchases.rescued, 0) + coalesce(lost.rescued, 0) as bigint) as rescued,
    cast(coalesce(purchases.late, 0) + coalesce(lost.late, 0) as bigint) as late,
    cast(coalesce(purchases.amount_overflows, 0) as bigint) as amount_overflows,
    cast(coalesce(purchases.prices_off_list, 0) as bigint) as prices_off_list,
    cast(coalesce(purchases.totals_off, 0) as bigint) as totals_off,
    cast(coalesce(purchases.unknown_products, 0) as bigint) as unknown_products,
    cast(coalesce(purchases.unknown_stores, 0) as bigint) as unknown_stores,
    cast(coalesce(purchases.unknown_customers, 0) as bigint) as unknown_customers,
    cast(coalesce(quarantined.lines, 0) as bigint) as quarantined,
    {%- for reason in reasons + ['other'] %}
    cast(coalesce(quarantined.{{ reason }}, 0) as bigint) as quarantined_{{ reason }}{{ ',' if not loop.last }}
    {%- endfor %}
from dates
left join purchases
    on dates.arrival_date = purchases.arrival_date
left join lost
    on dates.arrival_date = lost.arrival_date
left join quarantined
    on dates.arrival_date = quarantined.arrival_date
where dates.arrival_date is not null
