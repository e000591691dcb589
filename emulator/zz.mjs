import { TableClient } from '@azure/data-tables';
import { start } from '/tmp/hub/azurite.mjs';
console.log(process.version);
const az = await start();
const c = TableClient.fromConnectionString(az.conn('acct1'), 'HubHistory', { allowInsecureConnection: true });
await c.createTable();
const row=(pk,i)=>({partitionKey:pk,rowKey:i.toString(16).toUpperCase().padStart(16,'0'),EventId:{type:'Int32',value:'-1'},IsPlayed:false,_Timestamp:{type:'DateTime',value:'2026-11-21T00:24:25.8676831Z'},EventType:'OrchestratorStarted',ExecutionId:'c535fbb9-8d74-48b5-a912-7de7c5b9ea96'});
async function time(label,n,f,conc=1){ let cpu=process.cpuUsage(); const t=performance.now(); let i=0; await Promise.all(Array.from({length:conc},async()=>{while(i<n) await f(i++);})); const ms=(performance.now()-t)/n; cpu=process.cpuUsage(cpu); console.log(label,conc,'wall ms',ms.toFixed(2),'cpu ms',((cpu.user+cpu.system)/1000/n).toFixed(2)); }
const tx=i=>{const pk='p'+i; const a=[]; for(let k=0;k<5;k++)a.push(['upsert',row(pk,k),'Replace']); a.push(['create',{partitionKey:pk,rowKey:'sentinel',Count:5}]); return c.submitTransaction(a);};
for (let r=0;r<3;r++){await time('tx',300,i=>tx(r*1000+i)); await time('tx',300,i=>tx(r*1000+500+i),8); await time('upsert',300,i=>c.upsertEntity(row('q',i),'Replace')); }
for(let k=0;k<10;k++) await c.submitTransaction(Array.from({length:100},(_, i)=>['upsert',row('big',k*100+i),'Replace']));
for (let r=0;r<3;r++) await time('load1000',5,async()=>{let n=0; for await(const p of c.listEntities({queryOptions:{filter:"PartitionKey eq 'big'"},disableTypeConversion:true}).byPage({maxPageSize:1000})) n+=p.length; if(n!==1000) throw n;});
await time('point', 300, ()=>c.getEntity('q', '0000000000000001'));
az.stop(); process.exit();
