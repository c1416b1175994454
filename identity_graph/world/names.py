"""What the people of the world are called, where they live and what they buy."""

from __future__ import annotations

_FIRST = (
    "Ada Agnes Ahmed Aiko Alan Alice Amara Amir Ana Andre Anita Anna Anton Aria Arthur Astrid Ayesha "
    "Beatrix Ben Bianca Boris Brenda Bruno Carla Carlos Carmen Cecil Chen Chloe Clara Conor Dana Daniel "
    "Dara David Deepa Diego Dina Dmitri Dora Edith Elena Eli Elif Elsa Emil Emma Erik Esther Ethan Eva "
    "Farah Felix Fiona Frank Freya Gabriel Gemma George Gita Grace Greta Gus Hana Hank Harry Hassan Heidi "
    "Hugo Ibrahim Ida Igor Imani Ines Ingrid Iris Isaac Ivan Ivy Jack Jamal Jana Jasper Jean Jin Joan "
    "Jonas Jorge Jos\u00e9 Judith Julia Kai Karim Kate Kenji Khadija Kira Klara Kofi Kwame Lars Laura "
    "Leah Lena Leo Lila Ling Liv Lola Louis Lucia Luis Luka Mabel Magnus Mara Marco Maria Mario Marta Max "
    "Maya Mei Mila Mina Mohamed Mona Nadia Naomi Nia Nils Nina Noah Noor Nora Olga Oliver Omar Oscar Otto "
    "Pablo Paula Pedro Petra Pia Priya Quinn Rafael Rana Ravi Rita Rosa Ruth Sam Sana Sara Selma Sofia "
    "Stefan Sven Tara Theo Tim Tom Uma Vera Victor Viola Walter Wanda Wei Xenia Yara Yuki Yusuf Zara "
    "Zo\u00eb "
)
FIRST = tuple(_FIRST.split())

_LAST = (
    "Abbott Adeyemi Akhtar Alvarez Andersen Aoki Bailey Baker Balogun Banerjee Barnes Bauer Becker Bell "
    "Bennett Berg Bianchi Brandt Brooks Brown Campbell Carter Castro Chan Chandra Chavez Cho Clark Cohen "
    "Costa Cruz Dahl Davies Diaz Dubois Eriksen Evans Farouk Fischer Flores Foster Fournier Fraser Fuchs "
    "Garcia Gibson Gomez Gray Green Gupta Haddad Hall Hansen Harris Hayes Herrera Hoffman Hughes Hussain "
    "Ibarra Ito Ivanov Jackson Jansen Jensen Johnson Jones Joshi Kaplan Karlsson Kaur Kelly Khan Kim "
    "Klein Kowalski Kumar Lang Larsen Lee Lehmann Lewis Li Lim Lopez Lund Madsen Mahmoud Marin Martin "
    "Mehta Mendez Meyer Miller Mitchell Moore Morales Moreau Morgan Mori Murphy Nakamura Nguyen Nielsen "
    "Novak O'Brien Okafor Olsen Ortiz Osman Park Patel Pereira Petrov Pham Popov Price Quist Rahman Ramos "
    "Reed Reyes Ricci Rivera Roberts Rossi Ruiz Russo Sanchez Santos Sato Schmidt Schulz Scott Shah Silva "
    "Singh Smith Sokolov Suzuki Tanaka Taylor Thomas Torres Tran Turner Vargas Vogel Walker Wang Ward "
    "Watson Weber White Wilson Wolf Wong Wright Yamada Yilmaz Young Zhang Ziegler "
)
LAST = tuple(_LAST.split())

_CITIES = (
    "Albany Boston Chicago Dallas Denver Detroit Eugene Fresno Houston Madison Memphis Miami Oakland Omaha Phoenix "
    "Portland Reno Savannah Seattle Tampa Toledo Tucson Tulsa Wichita"
)
CITIES = tuple(_CITIES.split())

_AREAS = (
    "201 202 206 208 212 213 214 216 217 301 303 305 312 313 314 315 401 402 404 405 412 414 415 501 502 503 504 505 "
    "602 603 605 612 617 701 702 703 713 801 802 803"
)
AREAS = tuple(_AREAS.split())

MAIL_HOSTS = ("fastpost.example", "mailbox.example.net", "inbox.example.org", "post.example.com", "letters.example")
WORK_HOSTS = ("northwind.example", "contoso.example.com", "initech.example.org", "globex.example.net")
PLANS = ("free", "free", "free", "plus", "plus", "family")
TIERS = ("bronze", "bronze", "silver", "gold")
STORES = ("S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08", "S09", "S10", "S11", "S12")
PRODUCTS = (
    ("Kettle", 39.9),
    ("Teapot", 24.5),
    ("Mug", 9.5),
    ("Coffee mill", 59.0),
    ("Toaster", 49.0),
    ("Bread knife", 19.9),
    ("Frying pan", 34.0),
    ("Apron", 17.5),
    ("Cookbook", 27.0),
    ("Kitchen scale", 22.0),
    ("Lunch box", 14.0),
    ("Water bottle", 18.0),
    ("Desk lamp", 45.0),
    ("Plant pot", 12.0),
    ("Blanket", 55.0),
    ("Candle", 11.0),
)
PAGES = (("Home", "/"), ("Kitchen", "/kitchen"), ("Living", "/living"), ("Offers", "/offers"), ("Help", "/help"))
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)
CRAWLER = "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)"
