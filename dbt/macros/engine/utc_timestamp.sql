{#- A moment (a timestamp with a time zone) as a plain UTC datetime, whatever the session's time zone. -#}
{% macro utc_timestamp(moment) -%}
    {{ return(adapter.dispatch('utc_timestamp')(moment)) }}
{%- endmacro %}

{% macro duckdb__utc_timestamp(moment) -%}
    ({{ moment }} at time zone 'UTC')
{%- endmacro %}

{% macro snowflake__utc_timestamp(moment) -%}
    convert_timezone('UTC', {{ moment }})::timestamp_ntz
{%- endmacro %}
