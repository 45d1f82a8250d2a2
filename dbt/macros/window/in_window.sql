{#-
    The condition that a row of bronze is one this model has to take in: a row of the window, or,
    when the table is made anew, any row up to the window's end.
-#}
{% macro in_window() -%}
    {%- set window = window_bounds() -%}
    _load_seq <= {{ window.hi }}
    {%- if is_incremental() %} and _load_seq > {{ window.lo }}{% endif %}
{%- endmacro %}
