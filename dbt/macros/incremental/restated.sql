{#-
    The values of an expression over silver's columns whose purchases may have changed in this
    model's window, as a query with one column: those of the rows that came into silver, and those of
    the rows that left it. For all other values silver holds the same rows as when the window began.
-#}
{% macro restated(expression) -%}
    {%- set window = window_bounds() -%}
    select {{ expression }} as restated
    from {{ ref('purchases_silver') }}
    where _load_seq > {{ window.lo }} and _load_seq <= {{ window.hi }}
    union
    select {{ expression }} as restated
    from {{ source('raw', 'transform_displaced') }}
    where _window_hi > {{ window.lo }}
{%- endmacro %}
