/**
 * Birth certificate: made on 2026-11-23 by the official signer of lighter-sdk 1.1.8 (linux-amd64) with a key generated for
 * it and thrown away; chain 304, account 1234, key 5. Also used by bench/paper-crypto.ts.
 */
export const PUBLIC_KEY = '0x0f9dc45f0d8a0385b6f78bb46ebc786d279a5786f161c5653887474336a3ffa4829813d910c51aa8';

export const TX_TYPE = 14;

export const TX_INFO =
  '{"AccountIndex":1234,"ApiKeyIndex":5,"MarketIndex":1,"ClientOrderIndex":123456789,"BaseAmount":1000,"Price":650000,' +
  '"IsAsk":0,"Type":0,"TimeInForce":2,"ReduceOnly":0,"TriggerPrice":0,"OrderExpiry":1900000000000,' +
  '"ExpiredAt":1795423304799,"Nonce":42,"Sig":"qqtG8jNgylBcBng2ydai59KOAfpNVB+KqDlG9fqgrKwE1+wZTS3GRn1x+gjJqRRr/s303eGm' +
  'IoQ8P9MC04d0ISl445Dd2EbiWQLpZKfGaEo=","L2TxAttributes":{"4":1,"6":1,"7":1}}';

export const TX_HASH = 'bc9e00c440377418949f0b97df9ad1e9af0c34056c69f754078578a769a2053ea4324ec2bc7fea2a';

export const AUTH_TOKEN =
  '1900000000:1234:5:b313f1d8c7543b17a881199d442b44a0dd3bac2e90a8ddd7ff1e0c26542d895dfbeaac7343b9aa34d6029a0f00899b196f' +
  'c171365918bee4a12dea8a582074014f9245c6a6b13306b0bb8471df1f1008';
