{{ config(materialized='table') }}

with sold as (

    select
        min(business_date) as first_date,
        max(business_date) as latest_date
    from {{ ref('store_metrics_gold') }}

),

numbers as (

    select cast(n as integer) as n from ({{ numbers(5) }}) as every

),

-- From a year before the first sale to a year after the latest.
retail_years as (

    select
        january_31.retail_year,
        {{ retail_year_start('january_31.date') }} as starts_on
    from (
        select
            extract(year from sold.first_date) - 1 + numbers.n as retail_year,
            cast(
                cast(extract(year from sold.first_date) - 1 + numbers.n as varchar) || '-01-31' as date
            ) as date
        from sold
        inner join numbers
            on extract(year from sold.first_date) - 1 + numbers.n
                <= extract(year from sold.latest_date) + 2
    ) as january_31

),

bounded_years as (

    select
        retail_year,
        starts_on,
        lead(starts_on) over (order by retail_year) as ends_before
    from retail_years

),

-- Whole retail years: those in which something was sold, and those between.
days as (

    select
        bounded_years.starts_on + numbers.n as date,
        bounded_years.retail_year,
        bounded_years.starts_on as retail_year_starts_on,
        cast((bounded_years.ends_before - bounded_years.starts_on) / 7 as integer) as retail_weeks_in_year,
        cast((numbers.n - mod(numbers.n, 7)) / 7 as integer) as week
    from bounded_years
    cross join sold
    inner join numbers
        on numbers.n < bounded_years.ends_before - bounded_years.starts_on
    where numbers.n < 371
        and bounded_years.ends_before > sold.first_date
        and bounded_years.starts_on <= sold.latest_date

),

-- Quarters of thirteen weeks; a fifty-third week belongs to the last month of the last.
quarters as (

    select
        *,
        least(cast((week - mod(week, 13)) / 13 as integer), 3) as quarter_number,
        week - 13 * least(cast((week - mod(week, 13)) / 13 as integer), 3) as week_of_quarter
    from days

),

months as (

    select
        *,
        case when week_of_quarter < 4 then 0 when week_of_quarter < 9 then 1 else 2 end as month_of_quarter,
        case when week_of_quarter < 4 then 0 when week_of_quarter < 9 then 4 else 9 end as first_week
    from quarters

)

select
    date,
    cast(extract(year from date) as integer) as year,
    cast(extract(quarter from date) as integer) as quarter,
    cast(extract(month from date) as integer) as month,
    cast(extract(day from date) as integer) as day_of_month,
    cast({{ weekday('date') }} + 1 as integer) as day_of_week,
    case cast({{ weekday('date') }} as integer)
        when 0 then 'Sunday'
        when 1 then 'Monday'
        when 2 then 'Tuesday'
        when 3 then 'Wednesday'
        when 4 then 'Thursday'
        when 5 then 'Friday'
        else 'Saturday'
    end as day_name,
    {{ weekday('date') }} in (0, 6) as is_weekend,
    cast(retail_year as integer) as retail_year,
    retail_year_starts_on,
    retail_weeks_in_year,
    cast(quarter_number + 1 as integer) as retail_quarter,
    cast(3 * quarter_number + month_of_quarter + 1 as integer) as retail_month,
    cast(week + 1 as integer) as retail_week,
    cast(week_of_quarter - first_week + 1 as integer) as retail_week_of_month
from months
