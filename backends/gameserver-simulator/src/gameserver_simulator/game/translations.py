"""The texts of the game in English, German, French and Russian."""

from collections.abc import Mapping

ENGLISH = {
    "dedicated": "Dedicated Server",
    "all ips": "all ips",
    "left": "Player {0} left.",
    "removed": "Player {0} got removed. Reason: {1}",
    "shutting down": "Server shutting down - {0}",
    "saved": "Autosave completed",
    "backup begins": "Ok, generating backup, this might take a while",
    "backup done": "Backup complete!",
    "backup busy": "Can't run backup. A backup is already in progress",
    "vacuum begins": "Vacuum started, this may take some time",
    "vacuum done": "Vacuum complete!",
    "kicked": "{0} has been kicked by {1}, reason: {2}",
    "nobody": "No such user online",
    "no player": "No player with name or uid '{0}' exists",
    "banned": "Player is now banned until {0}",
    "unbanned": "Player is now unbanned",
    "not banned": "Player was not banned",
    "role assigned": "Ok, role {0} assigned to {1}",
    "role same": "Player is already in group {0}",
    "role is": "Player has role {0}",
    "whitelisted": "Player is now whitelisted until {0}",
    "whitelisted already": "Player is already whitelisted",
    "whitelisted is": "Player is currently whitelisted",
    "whitelisted not": "Player is currently not whitelisted",
    "unwhitelisted": "Player is now removed from the whitelist",
    "whitelist on": "Whitelist now enabled",
    "whitelist off": "Whitelist now disabled",
    "whitelist was on": "Whitelist was already enabled",
    "whitelist was off": "Whitelist was already disabled",
    "online": "List of online Players",
    "time": "Server time: {0}",
    "unknown command": "No such command exists",
    "missing argument": "Not enough arguments. Usage: {0}",
    "not on whitelist": "This server only allows whitelisted players to join. "
    "You are not on the whitelist.",
}

TRANSLATED: Mapping[str, Mapping[str, str]] = {
    "de": {
        "dedicated": "Dedizierter Server",
        "left": "Spieler {0} hat den Server verlassen.",
        "removed": "Spieler {0} wurde entfernt. Grund: {1}",
        "shutting down": "Server fährt herunter - {0}",
        "saved": "Automatische Speicherung abgeschlossen",
        "backup begins": "Ok, erstelle Sicherung, das kann eine Weile dauern",
        "backup done": "Sicherung abgeschlossen!",
        "backup busy": "Sicherung nicht möglich. Eine Sicherung läuft bereits",
        "banned": "Spieler ist jetzt gesperrt bis {0}",
        "online": "Liste der Spieler online",
        "time": "Serverzeit: {0}",
        "whitelist on": "Whitelist jetzt eingeschaltet",
        "unknown command": "Dieser Befehl existiert nicht",
    },
    "fr": {
        "dedicated": "Serveur dédié",
        "left": "Le joueur {0} est parti.",
        "removed": "Le joueur {0} a été retiré. Raison : {1}",
        "shutting down": "Arrêt du serveur - {0}",
        "saved": "Sauvegarde automatique terminée",
        "backup begins": "Ok, création de la sauvegarde, cela peut prendre un moment",
        "backup done": "Sauvegarde terminée !",
        "backup busy": "Impossible de sauvegarder. Une sauvegarde est déjà en cours",
        "banned": "Le joueur est désormais banni jusqu'au {0}",
        "online": "Liste des joueurs en ligne",
        "time": "Heure du serveur : {0}",
        "whitelist on": "Liste blanche activée",
        "unknown command": "Cette commande n'existe pas",
    },
    "ru": {
        "dedicated": "Выделенный сервер",
        "left": "Игрок {0} вышел.",
        "removed": "Игрок {0} удалён. Причина: {1}",
        "shutting down": "Сервер выключается - {0}",
        "saved": "Автосохранение завершено",
        "backup begins": "Ок, создаётся резервная копия, это может занять время",
        "backup done": "Резервное копирование завершено!",
        "backup busy": "Резервное копирование уже выполняется",
        "banned": "Игрок забанен до {0}",
        "online": "Список игроков онлайн",
        "time": "Время сервера: {0}",
        "whitelist on": "Белый список включён",
        "unknown command": "Такой команды нет",
    },
}


def translate(language: str, key: str, *values: object) -> str:
    """Return a text with its values filled in; in English where there is no translation."""
    text = TRANSLATED.get(language, {}).get(key) or ENGLISH[key]
    return text.format(*values)
