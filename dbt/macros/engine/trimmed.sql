{#- Text without the blanks, tabs and line ends around it. -#}
{% macro trimmed(text) -%}
    {{ return(adapter.dispatch('trimmed')(text)) }}
{%- endmacro %}

{% macro default__trimmed(text) -%}
    trim({{ text }}, concat(' ', chr(9), chr(10), chr(13)))
{%- endmacro %}
