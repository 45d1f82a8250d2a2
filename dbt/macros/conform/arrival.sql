{#-
    The UTC date on which a raw object arrived, by its key; null where the key has none. The place
    of each part is that of `raw/yyyy=2026/mm=03/dd=14/HH=23/…`.
-#}
{% macro arrival_date(source_object) -%}
    case
        when {{ source_object }} like 'raw/yyyy=____/mm=__/dd=__/%'
            then try_cast(
                substr({{ source_object }}, 10, 4) || '-' || substr({{ source_object }}, 18, 2) || '-'
                || substr({{ source_object }}, 24, 2) as date
            )
    end
{%- endmacro %}

{#-
    Whether a purchase was more than an hour old when the hour in which its raw object arrived
    began; false where the key has no hour.
-#}
{% macro is_late(ts, source_object) -%}
    coalesce(
        {{ ts }} + interval '1 hour' < case
            when {{ source_object }} like 'raw/yyyy=____/mm=__/dd=__/HH=__/%'
                then try_cast(
                    substr({{ source_object }}, 10, 4) || '-' || substr({{ source_object }}, 18, 2)
                    || '-' || substr({{ source_object }}, 24, 2) || ' '
                    || substr({{ source_object }}, 30, 2) || ':00:00' as {{ instant_type() }}
                )
        end,
        false
    )
{%- endmacro %}
