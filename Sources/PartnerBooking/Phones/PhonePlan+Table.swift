// Made by scripts/phone_table.py from phonenumbers 9.0.43 (PyPI), a port of Google's
// libphonenumber. Do not edit.

extension PhonePlan {
    /// The sizes of the groups in which numbers are written. The first 26 are named a to z, the
    /// others Aa, Ab … Ba.
    static let groupings: StaticString = """
        234 44 34 233 333 334 433 2222 134 244 5 33 45 25 2322 434 43 3222 444 344 133 222 35 4333 42 23 144 24 3333 4 2333\
         322 335 12222 3322 3334 345 232 224 2334 324 332 1322 323 15 254 4433 135 2223 14 2224 55 1222 2221 2225 223 3122 \
        1333 2344 255 534 54 544 245 52 53 533 123 315 32322 343 424 1332 1334 2232 2233 3234 3332 423 1122 124 13 1343 134\
        4 1424 143 1444 2134 214 2215 22222 2332 243 2434 313 3134 32 3223 3233 3244 3313 3323 4134 422 4234 425 443 445
        """

    /// One line for each calling code, of five fields:
    ///
    /// - The calling code.
    /// - Its regions. Each region after the first has the digits with which its numbers begin:
    ///   `JM658/876`.
    /// - The national prefixes. `-` means none. People write the first.
    /// - The prefixes of international calls. `x` is any digit, and `-` means 00.
    /// - Rules of the form `DIGITS:GROUPINGS`. Numbers that begin with one of the DIGITS have one
    ///   of the GROUPINGS. Digits are `2-5`, or `0/12` for a 0 and then a 1 or a 2. Numbers of a
    ///   rule after a `!` are written without national prefix.
    static let table: StaticString = """
        1 US,AG268,AI264,AS684,BB246,BM441,BS242,CA204/226/236/249/250/257/263/273/289/306/343/354/365/367/368/382/403/416/\
        418/428/431/437/438/450/468/474/506/514/519/548/579/581/584/587/600/604/613/622/633/639/647/672/683/705/709/742/753\
        /778/780/782/807/819/825/867/873/879/902/905/942,DM767,DO809/829/849,GD473,GU671,JM658/876,KN869,KY345,LC758,MP670,\
        MS664,PR787/939,SX721,TC649,TT868,VC784,VG284,VI340 1 011 2-9:!f
        7 RU,KZ7 8 810 349:Ai 7:f 8/0-7:AiAu 8/89:Au!f
        20 EG 0 - 1:daj 2:Aa 3:i 46:a 5:da 89:af
        27 ZA 0 - 1-79:a 8:zAbAldaf
        30 GR - - 5:g 69:f 7:j 8:fAgAk 2/09:f 2/1:j 2/2-8:g
        31 NL 0 - 1:a!zAb 2-47:a 5:e 6:Aa 8:cwaf 9:cwafAg
        32 BE 0 - 15-8:h 239:Aq 4:Aqr
        33 FR 0 - 1-79:Ah 8:r
        34 ES - - 4-9:r
        36 HU 06 - 1:i 235-7:da 489:d
        39 IT,VA06698 - - 1:eft 3:eftAk 47:f 5:j 8:lwef 0/0:lcbefpAk 0/13-57-9:yqbmgpAk 0/26:AbndajBlAk
        40 RO 0 - 2:e!l 3:Abe 7-9:e
        41 CH 0 - 2-79:o 8:oBr
        43 AT 0 - 1:CdAxAsuiAaBfBvCfCi 2:qbmgpsx 347:lqbmgpsx 5:zAbqbmgpsx 6:lcweftAcAj 8:weftAcAj 9:eftAcAj
        44 GB,GG1481/7781/7839/79111/79117/980/981,IM1624/74576/7524/7624,JE1534/7509/77003/77007/77008/7797/7829/7937 0 - \
        25:j 39:f 7:g 8:ef!c 1/01:f!e 1/2-9:mg
        45 DK - - 2-9:h
        46 SE 0 - 134:Alho 2:vAlhoBr 5:Apr 6:AlAprBr 7:o 8:BaAqBu 9:AlAprCt
        47 NO,SJ79 - - 0:k 2-79:h 8:Ar
        48 PL - - 13-579:o 2:lo 6:lAro 8:of
        49 DE 0 - 1:ftByCv!Adklcbe 2579:yqbmgpsx 3/02:zAbndajAeAnBg 3/1489:BmBnBjAzBoBiBk!kl 3/37:yqbmgpsx!k 3/56:qbmgpsx!k\
        l 4/0:zAbndajAeAnBg 4/1-9:yqbmgpsx!k 6/0-8:yqbmgpsx!k 6/9:zAbndajAeAnBg 8/0-8:yqbmgpsx!k 8/9:zAbndajAeAnBg
        51 PE 0 - 1:i 4-8:d 9:!e
        52 MX - 00,09 24679:f 5:j 3/0-24-9:f 3/3:j 8/02-9:f 8/1:j
        53 CU 0 119 2:nd 34:Abnd 56:i 7:ui 8:f
        54 AR 0 - 1:j 23:Bt 6:f 8:fAg 9:!Cg
        55 BR 0 0012,0014,0015,0021,0022,0023,0025,0031,0041,0043,0055,0065,0099 1267:!jAt 34:!bjAt 589:Ao!jAt
        56 CL - 00,1100,1110,1120,1130,1140,1150,1160,1190,1200,1220,1230,1240,1250,1510,1530,1540,1550,1580,1690,1700,1710\
        ,1760,1770,1800,1810,1880 1:p 29:Aa 3-578:a 6:afCx
        57 CO 0 005,007,009 1:Bv 369:!f 4:!b
        58 VE 0 - 24-689:f
        60 MY 0 - 1:aj 3:Aa 4-79:i 8:d
        61 AU,CC89162,CX89164 0 0011,0014,0015,0016,0018,0019 1:ze!vcbgs 2378:Aa 4:e
        62 ID 0 008,009 1:eft!u 236:nweft 4579:weft 8:weBstAk 0/0:!BzAcCp
        63 PH 0 - 1:!pCyDa 2:AsAa 3-7:a 8:baf 9:f
        64 NZ 0 00,0161 1:j 2:daj 346:i 5:Afef 7:ia 8:zAbndaj 9:ief
        65 SG - 00x,01x,02x,03x 1:p 369:b 7:Dc 8:bf
        66 TH 0 001,002,003,004,005,006,007,008,009 1:da!g 2:i 3-57:d 689:a 0/0:!Aj
        81 JP 0 010 1:Ao 2589:Aoj 3:Aa 4:a 6:Aaj 7:aj 0/0:!begpsDd
        82 KR 0 001,002,005,006,0073,008,009 1:aj!b 2:iAa 346:zAbaj 5:zAbajAt 7:j 8:a 0/0:!tBiBk
        84 VN 0 - 1:co!bg 2:Bs 3589:e 6:cwo 7:ce
        86 CN 0 - 1:jAn!cbt 2:jAn!cb 3-578:ft!cbe 6:f!cbe 9:f!cbet
        90 TR 0 - 235:Ai 4:Ai!Cq 8:fAcAj 9:f
        91 IN 0 - 56:g 7-9:Az 0/0:!Aj 1/0:!beftsAj 1/1:j!betsAj 1/26:f!betsAj 1/3-579:g!betsAj 1/8:f!betsx 2/02:j 2/13-9:g \
        3/0-24589:g 3/3:j 3/67:f 4/04:j 4/135:g 4/26-9:f
        92 PK 0 - 1:!m 24-7:ajAeAc 3:f 89:ApefAeAc
        93 AF 0 - 2-7:a
        94 LK 0 - 1-689:e 7:a
        95 MM 0 - 1:Bpui 2:BpuiAa 4-7:Bdda 8:Bddaf 9:iAvBf
        98 IR 0 - 1-8:Abnj 9:Adkf
        211 SS 0 - 19:e
        212 MA,EH 0 - 5-7:Ah 8:a
        213 DZ 0 - 1-4:h 5-8:r 9:o
        216 TN - - 2-57-9:d
        218 LY 0 - 2-9:a
        220 GM - - 235-79:c 48:ca
        221 SN - - 379:o 8:r
        222 MR - - 2-48:h
        223 ML - - 24-9:h
        224 GN - - 3:h 67:r
        225 CI - - 0:Ay 2:Cl
        226 BF - - 024-7:h
        227 NE - - 027-9:h
        228 TG - - 279:h
        229 BJ - - 0:Cm
        230 MU - 00,020,030,033,040,050,060,070 2-46:c 57:b 8:cAz
        231 LR 0 - 2:da 378:a 45:ua 6:u
        232 SL 0 - 236-9:d
        233 GH 0 - 235:a 8:wa
        234 NG 0 009 2:Bt 78:ftAk 9:f
        235 TD - 00,16 236-9:h
        236 CF - - 26-8:h
        237 CM - - 26:Ah 8:hAh
        238 CV - 0 2-589:Af
        239 ST - - 29:c
        240 GQ - - 23589:e
        241 GA - - 01:h 2-5:Ba 67:Bah
        242 CG - - 02:a 8:Aa
        243 CD 0 - 1:na 2:nAm 346:n 5:nBx 8:Bde 9:e
        244 AO - - 29:e
        245 GW - - 4:ce 9:e
        246 IO - - 3:c
        247 AC - - 01589:l 2-467:k
        248 SC - 00,01,010,02 2469:u 8:c
        249 SD 0 - 19:a
        250 RW 0 - 2:!e 7-9:e 0/6:!h
        251 ET 0 - 1-57-9:a
        252 SO 0 - 1:!lud 2:!ui 34:!lua 5:!u 67:!ia 8:!Aba 9:!da
        253 DJ - - 27:h
        254 KE 0 000 179:e 2:da 4-6:nda 8:ef
        255 TZ 0 000,005,006 24:a 5:!a 67:e 89:Ao
        256 UG 0 000,005,007 27-9:e 3:a 4/0-6:a 4/7-9:e
        257 BI - - 2367:h
        258 MZ - - 2:d 8:a
        260 ZM 0 - 28:e 579:a 6:!e
        261 MG 0 - 23:Bw
        262 RE,YT2689/269/63/7093/9398/9478/9769 0 - 26-9:r
        263 ZW 0 - 25-7:a 3:e 8:cag
        264 NA 0 - 68:da
        265 MW 0 - 1:ur 237-9:r
        266 LS - - 2568:b
        267 BW - - 0:g 2-6:c 7:d 8:Bs 9:n
        268 SZ - - 0237:b 9:Bj
        269 KM - - 3478:Af
        290 SH,TA8 - - 2569:k 8:Ad
        291 ER 0 - 178:u
        297 AW - - 25-9:c
        298 FO - - 2-9:v
        299 GL - - 1-9:v
        350 GI - - 2:w 56:b
        351 PT - - 136-9:e 2/03-9:e 2/12:a
        352 LU - - 2-57-9:AdzvBbhAwAyBc 6:e
        353 IE 0 - 1:iAa!g 2569:nda 4:ndaj 7:a 8:aCj
        354 IS - 00,1001,1010,1020,1100 3:e 4-9:c
        355 AL 0 - 2357:w 4:i 6:a 8:lcw 9:l
        356 MT - - 2357-9:b
        357 CY - - 257-9:d
        358 FI,AX18 0 00,990,991,994,996,999 1:AxAbndaj 25:AxAsuiAaj 3:AxAsuiAaBf 4:Abndaj 6:AxAsuiAaf 7:AbndajAeAn 89:AxAs\
        uiAa
        359 BG 0 - 2:Cbui 3-7:Ald 89:Alda 0/0:!s
        370 LT 0,8 - 36:w 4:d 5:i 79:Ar 8/0:Ar
        371 LV - - 26-9:d
        372 EE - - 369:c 45:cb 7:cAm 8:cbg
        373 MD 0 - 25-7:Ar 3:d 89:w
        374 AM 0 - 13-9:d 2:w
        375 BY 8,80,0 810 1:!Ca 34:!o 9:f 2/04-9:!o 2/12:!r 2/3:!Ca 8/0:lAfArAof 8/15-7:ft!lcbe 8/2-4:t!lcbe 8/8:!l 8/9:f!l\
        cbe
        376 AD - - 1:lb 357-9:l 6:le
        377 MC 0 - 39:!h 4:d 67:Ah 8:!Ap
        378 SM - - 0:g 5-7:h
        380 UA 0 - 3-5:m 67:a 89:af
        381 RS 0 - 1-3:ndajAeAn 6:daj 78:lcweftAc 9:lcwef
        382 ME 0 - 2-79:d 8:da
        383 XK 0 - 2:de 3:dajAeAn 4:d 89:w
        385 HR 0 - 1:Ch 2-59:da 6:Bdda 7:d 8:AfAre
        386 SI 0 00,1022,1066,1088,1099 1-57:Aq 6:d 8:zAbnd 9:Abnd
        387 BA 0 - 3-57-9:d 6:dAw
        389 MK 0 - 2:i 347:d 58:Be
        420 CZ - - 2-8:e 9:eCnAeAc
        421 SK 0 - 2:BpCcBu 3-5:o!lc 68:e 9:e!c
        423 LI 0 - 2379:!Af 6:!e 8:!Afe
        500 FK - - 2-7:k
        501 BZ - - 0:Ce 2-8:c
        502 GT - - 1:p 2-8:b
        503 SV - - 25-7:b 89:ct
        504 HN - - 2379:b 8:bt
        505 NI - - 125-8:b
        506 CR - - 2-7:b 8:bf 9:f
        507 PA - - 0:t 1-579:c 6:b 8:cbf
        508 PM 0 - 2-69:v 7:v!e 8:vr
        509 HT - - 2-589:Am
        590 GP,BL59027/59029/59051/59052/59087,MF59000/59007/59009/59013/59030/59043/59050/59056/59058/59077/59079 0 - 5-9:\
        r
        591 BO 0 00,001x 2-4:!i 5-7:!b 8:!Ao
        592 GY - 001 2-9:c
        593 EC 0 - 1:!gp 2-7:i 9:a
        594 GF 0 - 5-9:r
        595 PY 0 - 2:da 378:lnda 4:nda 5:we 6:lnwe 9:lcwe!fp
        596 MQ 0 - 5-9:r
        597 SR - - 2-5:l 6-9:c
        598 UY 0 00,013x,014x,015x,016x,017x,018x,019x 1:!b 2:!Adkb 4:c!b 8:c 9:cd 0/0:!lcApefBzAc
        599 CW,BQ3/4/7 - - 3467:c 9:i
        670 TL - - 2-489:c 7:cb
        672 NF - - 13:As
        673 BN - - 2-578:c
        674 NR - - 24-9:c
        675 PG - 00,1401,1402,1403 1-69:c 7:b 8:cb
        676 TO - - 0:q 2-4:z 5-8:zc 9:c
        677 SB - 00,01 1-5:k 6:kn 7-9:n
        678 VU - - 2-4:k 579:c 8:kc
        679 FJ - 00,052 0:p 2-9:c
        680 PW - 011,012 2-9:c
        681 WF - - 479:v 8:vr
        682 CK - - 2-578:z
        683 NU - - 4-7:Ad 8:c
        685 WS - 0 2-5:k 6:kl 7:n 8:lcf
        686 KI 0 - 2458:!k 3:!kb 67:!b
        687 NC - - 02-57-9:v
        688 TV - - 2:z 7:n 9:Ab
        689 PF - - 4:vh 8:hr
        690 TK - - 2-47:Adklc
        691 FM - - 389:c
        692 MH 1 011 2-6:!c
        800 - - 0 0-9:b
        808 - - 0 1-9:b
        850 KP 0 00,99 1:f 2-7:i 8:d
        852 HK - 00,001,002,0030,0050,0059,006,007,008,009 2-7:b 8:be 9:klcbCu
        853 MO - - 0:q 268:b
        855 KH 0 001,004,005,006,007,008,009 1:da!g 2-9:da
        856 LA 0 - 2:dBx 3:dAw 4-8:d
        870 - - 0 2356:e 7:es
        878 - - 0 1:Bh
        880 BD 0 - 1:g 2:iAag 34:qwmf 5:lnwm 6:qwmg 7:lqwe 8:lcweg 9:lnwmg
        881 - - 0 0-37-9:Av 6:AvBf
        882 - - 0 1:nAmajBlBh 25:jBh 3:nCojtBh 4:dj 9:Am
        883 - - 0 1-5:ApefAgAc
        886 TW 0 002,005,006,007,009,019 2:CkiAa 3:ia 4-68:iAa 7:ijBl 9:e
        888 - - 0 0-9:Ag
        960 MV - 00,019 3467:c 8:f 9:cf
        961 LB 0 - 13-6:u 2:!d 7-9:u!d
        962 JO 0 - 23568:i 47:Aa 9:w
        963 SY 0 - 1-3:da 4:d 5:de 9:e
        964 IQ 0 - 1:i 2-6:da 7:f
        965 KW - - 1:q 269:b 45:w
        966 SA 0 - 15:a 8:!f 9:!m
        967 YE 0 - 1:ui 2-6:u 7:ue
        968 OM - - 179:b 2:d 5:c 8:we
        970 PS 0 - 1:!g 2489:i 5:e
        971 AE 0 - 23:i 479:i!Bq 5:a 6:i!e 8:!CslcweftAc
        972 IL 0 00,0105,012,013,014,015,016,017,018,019 1:!qCzBfCrBy 2-489:i 57:a
        973 BH - - 136-9:b
        974 QA - - 0:t 2:c 3-7:b 8:ce
        975 BT - - 1:h 2-6:u 78:uh
        976 MN 0 001 12:Ammg 5-9:!b
        977 NP 0 - 1:i!Db 2-8:d 9:d!f
        979 - - 0 1359:Aa
        992 TJ - 810 0-9:a
        993 TM 8 810 1:h 2-5:Be 67:d
        994 AZ 0 - 1-9:o
        995 GE 0 - 348:r 57:!r
        996 KG 0 - 25-79:e 3:m 8:eCw
        998 UZ - - 235-9:o
        """
}
