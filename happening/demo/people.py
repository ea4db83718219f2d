"""The people of the demo. Only the first five can sign in."""

import unicodedata

PASSWORD = "happening-demo"  # noqa: S105

ACCOUNTS = {
    "root@happening.test": "Robin Root",
    "ada@acme.test": "Ada Lindqvist",
    "otto@acme.test": "Otto Brandt",
    "olga@globex.test": "Olga Sokolova",
    "uma@example.test": "Uma Krishnan",
}
PLATFORM_STAFF = "root@happening.test"
ROLES = {
    "ada@acme.test": ("acme", "orgAdmin"),
    "otto@acme.test": ("acme", "organizer"),
    "olga@globex.test": ("globex", "orgAdmin"),
}
MEMBERS = {"acme": slice(0, 10), "globex": slice(60, 70)}  # of the guests

# Where the letters of a name say nothing in ASCII, the address stands behind it.
GUESTS = """
Amara Okafor; Jonas Weber; Mei-Ling Chen; Sofía Álvarez; Tariq Haddad; Ingrid Solberg; Paweł Kowalczyk
Nomvula Dlamini; Lucas Moreau; Aylin Yıldız; Hiroshi Tanaka; Priya Raghavan; Mateus Oliveira; Freja Holm
Kwame Mensah; Élodie Garnier; Bence Szabó; Noor van Dijk; Chidi Eze; Marta Ferreira; Søren Kjær; Leila Rahimi
Tomasz Zieliński; Anjali Deshpande; Giulia Ricci; Owen Hughes; Zeynep Arslan; Viktor Hansson; Fatou Diop
Ji-woo Park; Camila Rojas; Dmitri Volkov; Aoife Brennan; Rafael Mendes; Hana Novotná; Samir Boutros
Linnéa Åkesson; Emeka Nwosu; Clara Hoffmann; Mustafa Demir; Yuki Nakamura; Isabela Costa; Piotr Wiśniewski
Nadia Benali; Oskar Lehmann; Thandiwe Khumalo; Arjun Bhatt; Marie Dubois; Krzysztof Nowak; Saoirse Kelly
Ibrahim Sesay; Lena Fischer; Carlos Herrera; Sana Malik; Björn Sigurðsson=bjorn.sigurdsson; Adaeze Obi
Matteo Greco; Eun-ji Kim; Daan Visser; Gabriela Popescu; Rohan Mehta; Astrid Nilsen; Julien Lambert
Miriam Cohen; Kofi Asante; Elif Kaya; Andrés Castillo; Wanjiru Kamau; Niamh O'Connor; Stefan Petrović
Lakshmi Iyer; Hugo Lindgren; Beatriz Santos; Youssef Amrani; Katarzyna Mazur; Minh Anh Nguyễn; Felix Bauer
Rania Khoury; Tobias Meier; Ngozi Adeyemi; Valentina Conti; Erik Johansson; Sunita Gurung; Pierre Lefèvre
Mónica Vargas; Jakub Dvořák; Halima Yusuf; Simon Keller; Ayesha Siddiqui; Diego Navarro; Maja Kovačević
Takumi Sato; Rebecca Stein; Babajide Ogun; Chloé Martin; Henrik Madsen; Anna Kowalska; Vikram Singh
Lucía Fernández; Emre Şahin; Grace Wanjiku; Nils Bergström; Inês Carvalho; Oleksandr Kovalenko
Юлия Морозова=yulia.morozova; 佐藤 美咲=misaki.sato; 김민준=minjun.kim; 王晓雨=xiaoyu.wang
מיכל לוי=michal.levi; Νίκος Παπαδόπουλος=nikos.papadopoulos; ليلى حسن=layla.hassan; अनन्या शर्मा=ananya.sharma
"""


def guests() -> list[tuple[str, str]]:
    """Name and email of everybody who books, in a fixed order."""
    entries = [entry.strip() for entry in GUESTS.replace("\n", ";").split(";") if entry.strip()]
    people = []
    for entry in entries:
        name, _, handle = entry.partition("=")
        people.append((name, f"{handle or _handle(name)}@example.org"))
    return people


def _handle(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower().translate(str.maketrans("łøıæ", "loia")))
    return "".join(letter for letter in letters.replace(" ", ".") if letter.isascii() and letter not in "'-")
