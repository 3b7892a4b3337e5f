"""First names of the demo's people, as people write them, and what each puts into an address."""

PLAIN_NAMES = (
    "Abigail", "Adam", "Aisha", "Alice", "Amelia", "Andrew", "Anita", "Ben",
    "Beth", "Carol", "Chloe", "Claire", "Daniel", "Deepa", "Diane", "Elaine",
    "Emma", "Fiona", "Gareth", "Grace", "Hannah", "Harriet", "Ian", "Imran",
    "Jack", "Janet", "Jaspreet", "Joanne", "Julie", "Karen", "Kwame", "Laura",
    "Lee", "Linda", "Louise", "Lucy", "Martin", "Mei", "Michelle", "Mohammed",
    "Nia", "Nicola", "Olivia", "Paul", "Peter", "Priya", "Rachel", "Rebecca",
    "Ruth", "Sam", "Sandra", "Sarah", "Simon", "Sophie", "Steve", "Sunita",
    "Susan", "Tom", "Wendy", "Yusuf",
)  # fmt: skip
OTHER_NAMES: tuple[tuple[str | None, str], ...] = (
    ("Siobhán", "siobhan"), ("Zoë", "zoe"), ("Łukasz", "lukasz"), ("O’Neil", "oneil"),
    ("Anne-Marie", "anne-marie"), ("Олена", "olena"), ("Αθηνά", "athina"), ("美咲", "misaki"),
    ("فاطمة", "fatima"), ("Maria da Conceição Albuquerque de Vasconcelos", "maria"),
    (None, "reader"), (None, "guest"), (None, "hello"), (None, "info"),
)  # fmt: skip
NAMES = (*((name, name.lower()) for name in PLAIN_NAMES), *OTHER_NAMES)
