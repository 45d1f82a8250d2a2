{#-
    For tests that compare layers: whether the named models have all taken in everything up to the
    window's end. In a `build` they have if they are part of it, elsewhere if the last run was
    complete; otherwise one layer is rightly ahead of another, and there is nothing to compare.
-#}
{% macro taken_in_by(models) %}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {%- if flags.WHICH == 'build' -%}
        {%- for name in models if 'model.' ~ project_name ~ '.' ~ name not in selected_resources -%}
            {{ return(false) }}
        {%- endfor -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set window = window_bounds() -%}
    {{ return(window.lo == window.hi) }}
{% endmacro %}
