"""What is told of the business: revenue, orders, customers, products."""

from decimal import Decimal

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor
from cloud_api.console.panels import Panel, days_of, line, major, step_name


def main_figures(said: Answer, visitor: Visitor) -> Panel:
    """The main figures together, each as a share of its own highest: they have no unit in common."""
    say, steps = visitor.say, said["steps"]
    names = [
        (say("Revenue"), "revenue_minor", "primary"),
        (say("Orders placed"), "placed", "orange"),
        (say("Orders delivered"), "delivered", "green"),
        (say("Customers who ordered"), "customers", "purple"),
    ]
    return Panel(
        title=say("Main figures together"),
        head=[say("From day"), say("To day"), *_with_currency(say("Revenue"), said), *(name for name, *_ in names[1:])],
        rows=[
            [*days_of(step), major(step["revenue_minor"]), step["placed"], step["delivered"], step["customers"]]
            for step in steps
        ],
        chart=line(
            "line",
            [step_name(step, said["by"]) for step in steps],
            "%",
            *((name, _of_highest([step[key] for step in steps]), tone) for name, key, tone in names),
        ),
        note=say("Each line is drawn as a share of its own highest value; the table has the values."),
        wide=True,
    )


def revenue(said: Answer, visitor: Visitor) -> Panel:
    """What was earned."""
    say, steps = visitor.say, said["steps"]
    money = [say("Delivered"), say("Credited"), say("Revenue")]
    return Panel(
        title=say("Revenue"),
        head=[
            say("From day"),
            say("To day"),
            say("Orders delivered"),
            *(f"{name} ({said['currency']})" for name in money),
        ],
        rows=[
            [
                *days_of(step),
                step["orders"],
                major(step["gross_minor"]),
                major(step["credited_minor"]),
                major(step["revenue_minor"]),
            ]
            for step in steps
        ],
        chart=line(
            "line",
            [step_name(step, said["by"]) for step in steps],
            said["currency"],
            (say("Revenue"), [major(step["revenue_minor"]) for step in steps], "primary"),
        ),
        note=say("What delivered orders come to, on the day of delivery, less credits, on the day they were granted."),
        wide=True,
    )


def orders(said: Answer, visitor: Visitor) -> Panel:
    """Orders by when they were placed and delivered."""
    say, steps = visitor.say, said["steps"]
    names = [(say("Placed"), "placed", "primary"), (say("Delivered"), "delivered", "green")]
    names.append((say("Cancelled"), "cancelled", "red"))
    return Panel(
        title=say("Orders"),
        head=[say("From day"), say("To day"), *(name for name, *_ in names)],
        rows=[[*days_of(step), *(step[key] for _, key, _ in names)] for step in steps],
        chart=line(
            "bar",
            [step_name(step, said["by"]) for step in steps],
            "",
            *((name, [step[key] for step in steps], tone) for name, key, tone in names),
        ),
        wide=True,
    )


def statuses(said: Answer, visitor: Visitor) -> Panel:
    """Where the orders of the period stand."""
    say, found = visitor.say, said["statuses"]
    words = [visitor.writing.word(one["status"]) for one in found]
    counts = [one["orders"] for one in found]
    return Panel(
        title=say("Where these orders stand now"),
        head=[say("Status"), say("Orders")],
        rows=[[word, count] for word, count in zip(words, counts, strict=True)],
        chart=line("pie", words, "", (say("Orders"), counts, "primary")) if found else None,
        empty=say("No order was placed in these days."),
    )


def categories(said: Answer, visitor: Visitor) -> Panel:
    """Orders by what is in them."""
    say, found = visitor.say, said["categories"]
    names = [one["category"] or say("Without a category") for one in found]
    return Panel(
        title=say("Orders by category"),
        head=[say("Category"), say("Orders"), say("Lines"), *_with_currency(say("Amount"), said)],
        rows=[
            [name, one["orders"], one["lines"], major(one["amount_minor"])]
            for name, one in zip(names, found, strict=True)
        ],
        chart=line("bar", names, "", (say("Orders"), [one["orders"] for one in found], "primary")) if found else None,
        empty=say("No order was placed in these days."),
    )


def cities(said: Answer, visitor: Visitor) -> Panel:
    """Orders by where they go."""
    say, found = visitor.say, said["cities"]
    names = [one["city"] or say("City not known") for one in found]
    return Panel(
        title=say("Orders by city"),
        head=[say("City"), say("Orders")],
        rows=[[name, one["orders"]] for name, one in zip(names, found, strict=True)],
        chart=line("bar", names, "", (say("Orders"), [one["orders"] for one in found], "cyan")) if found else None,
        empty=say("No order was placed in these days."),
    )


def customers(said: Answer, visitor: Visitor) -> Panel:
    """Who ordered for the first time, and who again."""
    say, steps = visitor.say, said["steps"]
    return Panel(
        title=say("Customers who ordered"),
        head=[say("From day"), say("To day"), say("For the first time"), say("Again")],
        rows=[[*days_of(step), step["new"], step["returning"]] for step in steps],
        chart=line(
            "bar",
            [step_name(step, said["by"]) for step in steps],
            "",
            (say("For the first time"), [step["new"] for step in steps], "green"),
            (say("Again"), [step["returning"] for step in steps], "primary"),
        ),
    )


def best_customers(said: Answer, visitor: Visitor) -> Panel:
    """Who brings the most."""
    say, best = visitor.say, said["best"]
    return Panel(
        title=say("Best customers"),
        head=[say("Customer"), say("Orders delivered"), *_with_currency(say("Delivered"), said)],
        rows=[[one["name"], one["orders"], major(one["gross_minor"])] for one in best],
        links=[f"/console/customers/{one['customer_id']}" for one in best] if visitor.may("customers:read") else (),
        empty=say("Nothing was delivered in these days."),
    )


def best_products(said: Answer, visitor: Visitor) -> Panel:
    """What sold best."""
    say, best = visitor.say, said["best"]
    return Panel(
        title=say("Best products"),
        head=[
            say("Product"),
            say("SKU"),
            say("Orders delivered"),
            say("Quantity"),
            say("Unit"),
            *_with_currency(say("Amount"), said),
            *_with_currency(say("Cost today"), said),
            say("Margin, %"),
        ],
        rows=[
            [
                one["name"],
                one["sku"],
                one["orders"],
                float(one["quantity"]),
                one["unit"],
                major(one["amount_minor"]),
                None if one["cost_minor"] is None else major(one["cost_minor"]),
                None if one["margin"] is None else round(one["margin"] * 100, 1),
            ]
            for one in best
        ],
        links=[f"/console/products/{one['product_id']}" for one in best] if visitor.may("products:read") else (),
        chart=line(
            "bar",
            [one["name"] for one in best[:10]],
            said["currency"],
            (say("Amount"), [major(one["amount_minor"]) for one in best[:10]], "green"),
        )
        if best
        else None,
        empty=say("Nothing was delivered in these days."),
        wide=True,
    )


def _with_currency(name: str, said: Answer) -> list[str]:
    return [f"{name} ({said['currency']})"]


def _of_highest(values: list[int]) -> list[float]:
    highest = max((abs(value) for value in values), default=0)
    return [float(round(Decimal(value * 100) / highest, 1)) if highest else 0.0 for value in values]
