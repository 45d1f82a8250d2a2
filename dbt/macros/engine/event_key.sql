{#-
    64 bits of the MD5 of an event's id. Matching on this number and confirming on the id reads
    eight bytes a row of history instead of forty. MD5 and not the engine's own hash, since that
    may change with the engine's version and the keys are stored.
-#}
{% macro event_key(event_id) -%}
    {{ return(adapter.dispatch('event_key')(event_id)) }}
{%- endmacro %}

{% macro duckdb__event_key(event_id) -%}
    md5_number_lower({{ event_id }})
{%- endmacro %}

{#-
    The last 8 bytes of the digest, as an unsigned number, as on DuckDB; but counted from the other end
    (Snowflake documents big-endian), so a key is of use within one warehouse only.
-#}
{% macro snowflake__event_key(event_id) -%}
    md5_number_lower64({{ event_id }})
{%- endmacro %}

{#- The column type of a key. -#}
{% macro event_key_type() -%}
    {{ return(adapter.dispatch('event_key_type')()) }}
{%- endmacro %}

{% macro duckdb__event_key_type() -%}
    ubigint
{%- endmacro %}

{% macro snowflake__event_key_type() -%}
    number(20, 0)
{%- endmacro %}
