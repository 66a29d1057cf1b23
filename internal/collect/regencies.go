package collect

// regencies are those of East Nusa Tenggara with their codes: Kemendagri (Kepmendagri
// 300.2.2-2430/2025) and BPS. The two overlap, so each keeps its own form.
var regencies = [][3]string{
	{"Kupang", "53.01", "5303"}, {"Timor Tengah Selatan", "53.02", "5304"}, {"Timor Tengah Utara", "53.03", "5305"},
	{"Belu", "53.04", "5306"}, {"Alor", "53.05", "5307"}, {"Flores Timur", "53.06", "5309"}, {"Sikka", "53.07", "5310"},
	{"Ende", "53.08", "5311"}, {"Ngada", "53.09", "5312"}, {"Manggarai", "53.10", "5313"}, {"Sumba Timur", "53.11", "5302"},
	{"Sumba Barat", "53.12", "5301"}, {"Lembata", "53.13", "5308"}, {"Rote Ndao", "53.14", "5314"}, {"Manggarai Barat", "53.15", "5315"},
	{"Nagekeo", "53.16", "5318"}, {"Sumba Tengah", "53.17", "5316"}, {"Sumba Barat Daya", "53.18", "5317"}, {"Manggarai Timur", "53.19", "5319"},
	{"Sabu Raijua", "53.20", "5320"}, {"Malaka", "53.21", "5321"}, {"Kota Kupang", "53.71", "5371"},
}
