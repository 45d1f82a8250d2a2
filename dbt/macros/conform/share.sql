{#-
    part / whole as DECIMAL(9,4), rounded half up, for two integers, 0 <= part and 0 < whole. In
    integers, since the engines divide with different precision.
-#}
{% macro share(part, whole) -%}
    {%- set halves = '(20000 * ' ~ part ~ ' + ' ~ whole ~ ')' -%}
    cast(
        ({{ halves }} - mod({{ halves }}, 2 * {{ whole }})) / (2 * {{ whole }}) * 0.0001
        as decimal(9, 4)
    )
{%- endmacro %}

{#- The fifth, 1 to 5, that a rank from 0 falls into among so many. -#}
{% macro fifth(rank, count) -%}
    cast((5 * {{ rank }} - mod(5 * {{ rank }}, {{ count }})) / {{ count }} + 1 as integer)
{%- endmacro %}
