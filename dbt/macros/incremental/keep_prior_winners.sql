{#-
    Before silver changes: writes down silver's rows from before the window whose event ids have
    come again in it. Silver may displace them in this run; the losers must still find them afterwards
    (a displaced winner is a loser), however many runs it takes until the window closes. This is the
    one pass over the whole of silver, and it reads two numbers a row.
-#}
{% macro keep_prior_winners(silver) %}
    {%- set window = window_bounds() -%}
    {%- set prior_winners = source('raw', 'transform_prior_winners').render() -%}
    {#- In a window that starts at 0 nothing is from before. -#}
    {%- if is_incremental() and window.lo > 0 -%}
        insert into {{ prior_winners }}
            (event_key, event_id, _source_object, _source_line, _load_seq)
        with arrived as (
            select distinct {{ event_key('event_id') }} as event_key, event_id
            from {{ ref('purchases_bronze') }}
            where {{ in_window() }}
        ),
        met as (
            select event_key, _load_seq
            from {{ silver }}
            where _load_seq <= {{ window.lo }}
                {# Always true: a filter, so that DuckDB tries a Bloom filter before it joins. -#}
                and event_key in (select event_key from arrived where event_key is not null)
        )
        select
            silver.event_key,
            silver.event_id,
            silver._source_object,
            silver._source_line,
            silver._load_seq
        from {{ silver }} as silver
        inner join met
            on silver._load_seq = met._load_seq and silver.event_key = met.event_key
        inner join arrived
            on silver.event_key = arrived.event_key and silver.event_id = arrived.event_id
        left join {{ prior_winners }} as known
            on silver._source_object = known._source_object
                and silver._source_line = known._source_line
        where known.event_key is null
    {%- endif -%}
{% endmacro %}
