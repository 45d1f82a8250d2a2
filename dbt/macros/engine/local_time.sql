{#- A plain UTC datetime as the plain datetime that clocks of a time zone (an IANA name) show. -#}
{% macro local_time(utc, time_zone) -%}
    {{ return(adapter.dispatch('local_time')(utc, time_zone)) }}
{%- endmacro %}

{% macro duckdb__local_time(utc, time_zone) -%}
    timezone({{ time_zone }}, timezone('UTC', {{ utc }}))
{%- endmacro %}

{#- With three arguments it takes and gives TIMESTAMP_NTZ. Reasoned, not tried on an account. -#}
{% macro snowflake__local_time(utc, time_zone) -%}
    convert_timezone('UTC', {{ time_zone }}, {{ utc }})
{%- endmacro %}

{#-
    Whether the engine knows a time zone by this name: converting to any other is an error, which
    would stop every sale for the sake of one store.
-#}
{% macro is_time_zone(name) -%}
    {{ return(adapter.dispatch('is_time_zone')(name)) }}
{%- endmacro %}

{% macro duckdb__is_time_zone(name) -%}
    {{ name }} in (select name from pg_timezone_names())
{%- endmacro %}

{#- Snowflake has no list to ask; these names are of the same database. -#}
{% macro snowflake__is_time_zone(name) -%}
    {{ name }} in ('{{ modules.pytz.common_timezones | join("', '") }}')
{%- endmacro %}
