// Tells the sign-up form which time zone its visitor lives in, so that mails come in the daytime.
const zone = document.getElementById("time-zone");
if (zone && !zone.value) {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
}
