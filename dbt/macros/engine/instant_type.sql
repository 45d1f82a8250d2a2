{#- The column type of a plain datetime with microseconds, which is always UTC here. -#}
{% macro instant_type() -%}
    {{ return(adapter.dispatch('instant_type')()) }}
{%- endmacro %}

{% macro duckdb__instant_type() -%}
    timestamp
{%- endmacro %}

{% macro snowflake__instant_type() -%}
    timestamp_ntz
{%- endmacro %}
